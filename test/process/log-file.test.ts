import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test, vi } from 'vitest';
import { passLogSignals } from '../../src/commands/log-signals.js';
import { openLogFile } from '../../src/process/log-file.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

interface Line {
  readonly number?: number;
  readonly msg: string;
  readonly level: number;
  readonly now?: string;
}

const linesOf = (text: string): Line[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);

/** Starts a process that logs until it is told to end. */
function startLogging(file: string): { readonly child: ChildProcess; end(): Promise<number> } {
  const path = fileURLToPath(new URL('../fixtures/rotated-log.mjs', import.meta.url));
  const child = spawn(process.execPath, [path], {
    env: { PATH: process.env.PATH, TMPDIR: process.env.TMPDIR, LOG_FILE: file },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    child,
    async end() {
      child.send('end');
      const [text] = (await once(child.stdout!, 'data')) as [Buffer];
      await once(child, 'exit');
      return Number(text.toString());
    },
  };
}

test('logrotate loses no line of a process that goes on logging', async () => {
  const folder = await temporaryDirectory();
  const logs = join(folder, 'logs');
  await mkdir(logs);
  const file = join(logs, 'riskgraph.log');
  const { child, end } = startLogging(file);
  // The shipped configuration, for this file and this process.
  const configuration = join(folder, 'riskgraph.conf');
  const shipped = await readFile('ops/logrotate/riskgraph', 'utf8');
  const own = shipped
    .replace('/var/log/riskgraph/*.log', file)
    .replace(/^.*systemctl kill.*$/m, `kill -USR1 ${child.pid}`)
    // Three rotations come within one second, so their files are numbered.
    .replaceAll(/^ *date\w+.*\n/gm, '')
    .replace(/^ *compress\n *delaycompress\n/m, '');
  await writeFile(configuration, own, { mode: 0o600 });
  const state = join(folder, 'state');
  for (let round = 1; round <= 3; round += 1) {
    await vi.waitUntil(() => statSync(file, { throwIfNoEntry: false })?.size, { timeout: 20_000 });
    await promisify(execFile)('logrotate', ['--force', '--state', state, configuration], {
      env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
    await vi.waitUntil(() => readdirSync(logs).length === round + 1, { timeout: 20_000 });
  }
  const logged = await end();
  const lines = readdirSync(logs).flatMap((name) => linesOf(readFileSync(join(logs, name), 'utf8')));
  const numbers = lines.flatMap(({ number }) => (number === undefined ? [] : [number])).sort((a, b) => a - b);
  expect(readdirSync(logs)).toHaveLength(4);
  expect(numbers).toEqual(Array.from({ length: logged }, (_, number) => number));
});

test('a file that is truncated by another program is written from its beginning', async () => {
  const file = join(await temporaryDirectory(), 'log');
  const { end } = startLogging(file);
  await vi.waitUntil(() => statSync(file, { throwIfNoEntry: false })?.size, { timeout: 20_000 });
  await writeFile(file, '');
  await vi.waitUntil(() => statSync(file).size > 0, { timeout: 20_000 });
  await end();
  expect(linesOf(await readFile(file, 'utf8')).at(-1)!.msg).toMatch(/^x+$/);
});

test('SIGUSR2 goes through debug and trace, back to the level of LOG_LEVEL, and each change is in the log', async () => {
  const file = join(await temporaryDirectory(), 'log');
  const { child, end } = startLogging(file);
  await vi.waitUntil(() => statSync(file, { throwIfNoEntry: false })?.size, { timeout: 20_000 });
  const levels = (): (string | undefined)[] =>
    linesOf(readFileSync(file, 'utf8').replace(/\n[^\n]*$/, '\n'))
      .filter(({ msg }) => msg.includes('SIGUSR2'))
      .map(({ now }) => now);
  for (const [index] of ['debug', 'trace', 'info'].entries()) {
    child.kill('SIGUSR2');
    await vi.waitUntil(() => levels().length === index + 1, { timeout: 20_000 });
  }
  expect(levels()).toEqual(['debug', 'trace', 'info']);
  await end();
});

test('a process passes the signals about the log on to its child', async () => {
  const file = join(await temporaryDirectory(), 'log');
  const { child, end } = startLogging(file);
  await vi.waitUntil(() => statSync(file, { throwIfNoEntry: false })?.size, { timeout: 20_000 });
  const exited = once(child, 'exit');
  passLogSignals(child, exited);
  process.kill(process.pid, 'SIGUSR2');
  await vi.waitUntil(() => readFileSync(file, 'utf8').includes('"now":"debug"'), { timeout: 20_000 });
  await end();
  await exited;
  expect(process.listenerCount('SIGUSR2')).toBe(0);
});

test('a file that cannot be written refuses the start in one line', () => {
  expect(() => openLogFile('/no/such/folder/log', () => '')).toThrow(
    'LOG_FILE /no/such/folder/log cannot be written (ENOENT): make its folder, and let the user of this process write there.',
  );
});

test('a full disk ends no process: a mebibyte of lines waits, and further ones are counted', async () => {
  const told: number[] = [];
  const file = openLogFile('/dev/full', (dropped) => {
    told.push(dropped);
    return '{}\n';
  });
  const line = `${'x'.repeat(1_023)}\n`;
  for (let count = 0; count < 2_000; count += 1) file.write(line);
  expect(told.at(-1)! + 1).toBe(2_000 - 1_024);
});

test('a process whose log file takes nothing ends all the same', async () => {
  const { child } = startLogging('/dev/full');
  await once(child, 'spawn');
  const ended = once(child, 'exit');
  child.send('end');
  expect(await ended).toEqual([0, null]);
});
