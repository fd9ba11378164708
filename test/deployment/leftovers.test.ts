// Covers scripts/leftovers.mjs: a run of the tests fails on the processes and files that it leaves.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { exitOf } from '../../src/embedded/child-exit.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const script = resolve('scripts/leftovers.mjs');

/** A run of the tests: its mark, and the folder for its temporary files. */
async function run() {
  const mark = randomUUID();
  const folder = mkdtempSync(join(await temporaryDirectory(), 'run-'));
  return {
    mark,
    folder,
    /** Runs the script on the run of tests. @returns its output and its exit code */
    leftovers() {
      const { status, stdout } = spawnSync(process.execPath, [script, mark, folder, String(process.pid), '0'], {
        encoding: 'utf8',
      });
      return { status, said: stdout.split('\n').filter(Boolean) };
    },
  };
}

/** A program that does not end on its own, in a process group of its own. */
function sleeper(options: { readonly cwd?: string; readonly mark?: string }): ChildProcess {
  const child = spawn('sleep', ['600'], {
    cwd: options.cwd,
    env: { PATH: process.env.PATH, RISKGRAPH_TEST_RUN: options.mark },
    detached: true,
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

test('a run that leaves nothing passes without output, and its folder is removed', async () => {
  const { folder, leftovers } = await run();
  expect(leftovers()).toEqual({ status: 0, said: [] });
  expect(existsSync(folder)).toBe(false);
});

test('a file that is left is named and removed, and fails the run', async () => {
  const { folder, leftovers } = await run();
  writeFileSync(join(folder, 'forgotten'), '');
  expect(leftovers()).toEqual({
    status: 1,
    said: [`the tests left a temporary file or folder, now removed: ${join(folder, 'forgotten')}`],
  });
  expect(existsSync(folder)).toBe(false);
});

// Only Linux shows the environment and the folder of a process.
test.runIf(process.platform === 'linux')(
  'a process with the mark of the run, or in its folder, is named and killed, and fails the run; others live on',
  async () => {
    const { mark, folder, leftovers } = await run();
    const [marked, inside] = [sleeper({ mark }), sleeper({ cwd: folder })];
    const other = sleeper({ mark: randomUUID() });
    const ends = [marked, inside].map(exitOf);
    const { status, said } = leftovers();
    expect(status).toBe(1);
    expect(said.sort()).toEqual(
      [marked, inside].map(({ pid }) => `the tests left a process running, now killed: ${pid} sleep 600`).sort(),
    );
    for (const end of ends) expect((await end).signal).toBe('SIGKILL');
    expect(other.exitCode ?? other.signalCode).toBeNull();
  },
);

test.runIf(process.platform === 'linux')("an orphan of the runner's own process group counts too", async () => {
  const { mark, folder } = await run();
  // A runner in a group of its own, whose grandchild outlives its parent and has another environment.
  const runner = spawn(
    '/bin/sh',
    ['-c', `(env -i sleep 600 & echo $! >&2); "$1" "$2" "$3" "$4" $$ 0`, 'sh', process.execPath, script, mark, folder],
    { detached: true },
  );
  let [said, orphan] = ['', ''];
  runner.stdout.on('data', (data: Buffer) => (said += data.toString()));
  runner.stderr.on('data', (data: Buffer) => (orphan += data.toString()));
  expect(await exitOf(runner)).toEqual({ code: 1, signal: null });
  expect(said).toBe(`the tests left a process running, now killed: ${orphan.trim()} sleep 600\n`);
});
