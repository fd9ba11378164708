import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRepeatFolder, type ReportError } from '../../src/process/fold-repeats.js';
import { logError } from '../../src/process/logger.js';

interface Line {
  readonly msg: string;
  readonly repeated?: number;
}

function folded(report?: ReportError) {
  const lines: Line[] = [];
  const logger = pino(
    { hooks: { logMethod: createRepeatFolder(report) } },
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

test('a fault whose id a caller was told is written for each of many callers', () => {
  const { logger, lines } = folded();
  for (let id = 0; id < 5_000; id += 1)
    logError(logger, new Error('a fault'), 'request failed', { correlationId: `${id}` });
  expect(lines).toHaveLength(1_000);
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

test('an outage under a thousand requests per second writes a few dozen lines per minute, and counts the others', () => {
  const { logger, lines } = folded();
  for (let request = 0; request < 60_000; request += 1)
    logError(logger, new Error('away'), 'database away', { level: 'warn', requestId: `request-${request}` });
  expect(lines).toHaveLength(20);
  expect(lines[19]).toMatchObject({ requestId: 'request-19' });
  vi.advanceTimersByTime(60_000);
  expect(lines).toHaveLength(21);
  expect(lines[20]).toMatchObject({ msg: 'database away', repeated: 59_980 });
  expect(lines[20]).not.toHaveProperty('requestId');
});

test('errors of many kinds cannot make it hold more than 500, and no line of theirs is lost', () => {
  const { logger, lines } = folded();
  for (let kind = 0; kind < 2_000; kind += 1) logError(logger, new Error('away'), `failed in way ${kind}`);
  expect(lines).toHaveLength(2_000);
  expect(vi.getTimerCount()).toBe(500);
});

test('an error of level error or fatal is reported once, when it is written; others are not reported', () => {
  const reported: unknown[] = [];
  const { logger } = folded((error, message, fields) => void reported.push([(error as Error).name, message, fields]));
  for (let count = 0; count < 3; count += 1) logError(logger, new RangeError('away'), 'not written', { chunk: 3 });
  logError(logger, new Error('away'), 'slow', { level: 'warn' });
  logger.fatal({ err: new Error('gone') }, 'it ends');
  logger.error('no error of a caller');
  expect(reported).toEqual([
    ['RangeError', 'not written', { chunk: 3 }],
    ['Error', 'it ends', {}],
  ]);
});
