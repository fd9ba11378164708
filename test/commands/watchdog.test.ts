import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pino from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { endWhenStuck } from '../../src/commands/watchdog.js';

const watchdog = pathToFileURL(join(import.meta.dirname, '../../dist/src/commands/watchdog.js')).href;

/** Runs a process under the watch of its event loop. @returns how it ended, and its log */
async function watched(body: string): Promise<{ signal: string | null; log: string }> {
  const program = `import { watchEventLoop } from '${watchdog}';
    watchEventLoop({ name: 'riskgraph-test', seconds: 2 });
    ${body}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { PATH: process.env.PATH, RISKGRAPH_TEST_RUN: process.env.RISKGRAPH_TEST_RUN },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => lines.push(chunk.toString()));
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { signal, log: lines.join('') };
}

test('a process whose event loop stands still ends, with a line in its log', async () => {
  const { signal, log } = await watched('for (;;);');
  expect(signal).toBe('SIGKILL');
  expect(JSON.parse(log)).toMatchObject({
    level: 60,
    name: 'riskgraph-test',
    seconds: 2,
    msg: 'the event loop stands still: the process ends, so that it is started again',
  });
});

test('a process whose event loop turns ends when it wants to', async () => {
  expect(await watched(`setTimeout(() => undefined, 4_000);`)).toEqual({ signal: null, log: '' });
});

test('a process whose work is stuck is ended once, and one whose work goes on is not', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let stuck = false;
  const lines: string[] = [];
  const logger = pino({ level: 'fatal' }, { write: (line: string) => void lines.push(line) });
  const end = vi.fn();
  const stop = endWhenStuck(() => stuck, logger, end);
  vi.advanceTimersByTime(60_000);
  expect(end).not.toHaveBeenCalled();
  stuck = true;
  vi.advanceTimersByTime(60_000);
  expect(end).toHaveBeenCalledTimes(1);
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    'the work is stuck: the process ends, so that it is started again',
  ]);
  stop();
});
