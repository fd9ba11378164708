import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { oncePerTurn } from '../../src/jobs/job-store.js';

test('the value is the same for all callers in a turn of the event loop, and new in the next turn', async () => {
  let made = 0;
  const value = oncePerTurn(() => ({ number: (made += 1) }));
  const first = value();
  await Promise.resolve();
  expect(value()).toBe(first);
  await nextTurn();
  expect(value().number).toBe(2);
});
