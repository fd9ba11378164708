import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { exitOf } from '../../src/embedded/child-exit.js';
import { openDataDirectory, readRuntime, writeRuntime } from '../../src/embedded/data-directory.js';
import { spawnEntry } from '../../src/embedded/spawn-entry.js';
import { StartupError } from '../../src/errors.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const runtime = { pid: process.pid, mongoUri: 'mongodb://example/', redisUrl: 'redis://:word@example', port: 4000 };

test('only this user may read the new directory', async () => {
  const path = join(await temporaryDirectory(), 'deep', '.data');
  const data = await openDataDirectory(path);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  await data.close();
});

test('a second holder is refused with the id of the first process; another directory is free', async () => {
  const path = await temporaryDirectory();
  const data = await openDataDirectory(path);
  await expect(openDataDirectory(path)).rejects.toThrow(
    new StartupError(
      `the data directory ${data.path} is in use by the process ${process.pid}: wait until it is up, or stop it, or ` +
        'name another directory in DATA_DIRECTORY',
    ),
  );
  await (await openDataDirectory(await temporaryDirectory())).close();
  await data.close();
  await (await openDataDirectory(path)).close();
});

test('exactly one of many holders that start at once gets the directory', async () => {
  const path = await temporaryDirectory();
  const starts = await Promise.allSettled(Array.from({ length: 8 }, () => openDataDirectory(path)));
  const winners = starts.filter((start) => start.status === 'fulfilled');
  expect(winners).toHaveLength(1);
  await winners[0]!.value.close();
});

test('the lock is free as soon as its process ends, even after kill -9', async () => {
  const path = await temporaryDirectory();
  const holder = spawnEntry(new URL('./fixtures/lock-holder.mjs', import.meta.url), { args: [path] });
  const exited = exitOf(holder);
  await once(holder, 'message');
  await expect(openDataDirectory(path)).rejects.toThrow(`in use by the process ${holder.pid}:`);
  expect(await readRuntime(path)).toMatchObject({ pid: holder.pid });
  holder.kill('SIGKILL');
  await exited;
  expect(await readRuntime(path)).toBeUndefined();
  await (await openDataDirectory(path)).close();
});

test('the runtime file is private, and is removed with the lock', async () => {
  const path = await temporaryDirectory();
  const data = await openDataDirectory(path);
  expect(await readRuntime(path)).toBeUndefined();
  await writeRuntime(path, runtime);
  expect(statSync(join(path, 'runtime.json')).mode & 0o777).toBe(0o600);
  expect(await readRuntime(path)).toEqual(runtime);
  await data.close();
  expect(await readRuntime(path)).toBeUndefined();
  expect(await readRuntime(join(path, 'missing'))).toBeUndefined();
});

test('the next start removes the runtime file of a killed process', async () => {
  const path = await temporaryDirectory();
  await writeRuntime(path, runtime);
  const data = await openDataDirectory(path);
  onTestFinished(() => data.close());
  expect(await readRuntime(path)).toBeUndefined();
});

test('a directory that cannot be written is refused with the reason and the remedy, in one line', async () => {
  const parent = await temporaryDirectory();
  writeFileSync(join(parent, 'file'), '');
  const refused = openDataDirectory(join(parent, 'file', '.data'));
  await expect(refused).rejects.toThrow(StartupError);
  await expect(refused).rejects.toThrow(
    /^the data directory .*\.data cannot be written \(ENOTDIR.*\): give this user the right to write, or name another directory in DATA_DIRECTORY$/,
  );
});
