import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

test('a log that is not read stops no process; lines are dropped, and their number is told', async () => {
  const path = fileURLToPath(new URL('../fixtures/unread-log.mjs', import.meta.url));
  const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  let log = '';
  child.stderr!.on('data', (text: Buffer) => {
    if (log.length === 0) child.send('go on');
    log += text.toString();
  });
  await once(child, 'close');
  const lines = log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { msg: string; number?: number; dropped?: number });
  const [told] = lines.filter(({ dropped }) => dropped !== undefined);
  const written = lines.filter(({ number }) => number !== undefined);
  expect(written.length).toBeGreaterThan(500);
  expect(told!.dropped! + written.length).toBe(10_000);
  expect(lines.at(-1)!.msg).toBe('the last line');
});
