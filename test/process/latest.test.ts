import { expect, test } from 'vitest';
import { keepLatest } from '../../src/process/latest.js';

test('the latest value is given at once, while the next one is read, and only one read runs', async () => {
  const reads: ((value: number) => void)[] = [];
  const latest = keepLatest(() => new Promise<number>((resolve) => reads.push(resolve)), 0);
  expect([latest.get(), latest.get(), latest.ageSeconds()]).toEqual([undefined, undefined, Infinity]);
  expect(reads).toHaveLength(1);
  reads[0]!(7);
  await expect.poll(() => latest.get()).toBe(7);
  await expect
    .poll(() => {
      latest.get();
      return reads.length;
    })
    .toBe(2);
  expect(latest.get()).toBe(7);
  expect(Number.isFinite(latest.ageSeconds())).toBe(true);
});

test('a value stays after a failed read, and is not read again while it is young', async () => {
  let reads = 0;
  const latest = keepLatest(async () => {
    reads += 1;
    return reads;
  }, 3_600_000);
  latest.get();
  await expect.poll(() => latest.get()).toBe(1);
  expect([latest.get(), reads]).toEqual([1, 1]);
  let fails = false;
  const failing = keepLatest(async () => {
    if (fails) throw new Error('away');
    return 'seen';
  }, 0);
  await expect.poll(() => failing.get()).toBe('seen');
  fails = true;
  await expect.poll(() => failing.get()).toBe('seen');
});
