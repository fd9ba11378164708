import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { oncePerTurn } from '../../src/jobs/job-store.js';

test('is the same for all who ask within a turn of the event loop, and another one in the next', async () => {
  let made = 0;
  const value = oncePerTurn(() => ({ number: (made += 1) }));
  const first = value();
  await Promise.resolve();
  expect(value()).toBe(first);
  await nextTurn();
  expect(value().number).toBe(2);
});
