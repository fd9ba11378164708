import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { once } from 'node:events';
import { dirname, join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { startMongo } from '../../src/embedded/embedded-mongo.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const withoutEmbedded = { os: 'linux', architecture: 'x64' };

/** A directory with a program called `mongod` that answers each connection with its arguments. */
async function pathWithMongod(script: string): Promise<string> {
  const directory = await temporaryDirectory();
  writeFileSync(join(directory, 'mongod'), `#!${process.execPath}\n${script}`);
  chmodSync(join(directory, 'mongod'), 0o755);
  return directory;
}

const listening = `
const [, , ...args] = process.argv;
const socket = args[args.indexOf('--bind_ip') + 1];
require('node:fs').rmSync(socket, { force: true });
require('node:net').createServer((connection) => connection.on('error', () => {}).end(JSON.stringify(args))).listen(socket);
process.on('SIGTERM', () => process.exit(0));
`;

test('without a build of the engine, the mongod of the PATH serves on a private socket and no port', async () => {
  const dataDirectory = await temporaryDirectory();
  const engine = await startMongo(dataDirectory, {
    platform: withoutEmbedded,
    searchPath: await pathWithMongod(listening),
  });
  onTestFinished(() => engine.stop());
  const socket = decodeURIComponent(new URL(engine.url).host);
  const [answer] = (await once(createConnection(socket), 'data')) as [Buffer];
  const args = JSON.parse(answer.toString()) as string[];
  expect(args).toEqual(expect.arrayContaining(['--dbpath', join(dataDirectory, 'mongod'), '--bind_ip', socket]));
  expect(args).not.toContain('--port');
  await engine.stop();
  expect(await engine.exited).toEqual({ code: 0, signal: null });
  expect(existsSync(dirname(socket))).toBe(false);
});

test('a mongod that does not start is reported in one line, with its last output', async () => {
  const searchPath = await pathWithMongod('console.error("first\\ndisk full"); process.exitCode = 14;');
  await expect(startMongo(await temporaryDirectory(), { platform: withoutEmbedded, searchPath })).rejects.toThrow(
    /mongod ended with exit code 14 on .*: disk full; repair it, or set MONGO_URI to another MongoDB$/,
  );
});

test('without a build and a mongod, the error names the remedy', async () => {
  const empty = await temporaryDirectory();
  await expect(startMongo(empty, { platform: withoutEmbedded, searchPath: empty })).rejects.toThrow(
    /no build for linux x64 without glibc: set MONGO_URI to .*, or put mongod on the PATH$/,
  );
});
