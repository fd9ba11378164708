import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRepeatFolder } from '../../src/process/fold-repeats.js';
import { logError } from '../../src/process/logger.js';

interface Line {
  readonly msg: string;
  readonly repeated?: number;
}

function folded() {
  const lines: Line[] = [];
  const logger = pino(
    { hooks: { logMethod: createRepeatFolder() } },
    { write: (line: string) => void lines.push(JSON.parse(line) as Line) },
  );
  return { logger, lines };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('an error that is repeated is two lines per minute, and the second one has the count', () => {
  const { logger, lines } = folded();
  for (let count = 0; count < 1_000; count += 1) logError(logger, new Error('away'), 'Redis connection');
  expect(lines).toMatchObject([{ msg: 'Redis connection' }]);
  vi.advanceTimersByTime(60_000);
  expect(lines).toMatchObject([{ msg: 'Redis connection' }, { msg: 'Redis connection', repeated: 999 }]);
  logError(logger, new Error('away'), 'Redis connection');
  expect(lines).toHaveLength(3);
  expect(lines[2]).not.toHaveProperty('repeated');
});

test('errors that differ in message, reason or fields, and lines that are no errors, are all written', () => {
  const { logger, lines } = folded();
  for (const [reason, message, queue] of [
    ['away', 'first', 'a'],
    ['away', 'second', 'a'],
    ['refused', 'first', 'a'],
    ['away', 'first', 'b'],
  ] as const)
    logError(logger, new Error(reason), message, { queue });
  for (let count = 0; count < 3; count += 1) logger.info({ url: 'here' }, 'started');
  expect(lines).toHaveLength(7);
});

test('a caller who makes ever other errors cannot make it hold more than 500', () => {
  const { logger, lines } = folded();
  for (let count = 0; count < 2_000; count += 1) logError(logger, new Error('away'), 'failed', { count });
  expect(lines).toHaveLength(2_000);
  expect(vi.getTimerCount()).toBe(500);
});
