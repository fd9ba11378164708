import { expect, test } from 'vitest';
import { kept } from '../../src/backup/retention.js';

const at = (text: string): Date => new Date(`${text}Z`);
const names = (times: readonly Date[]): string[] => times.map((time) => time.toISOString().slice(0, 16));

test('the newest backup of each of the last days, weeks and months is kept', () => {
  const times = [
    at('2026-11-29T02:00'), // Sunday
    at('2026-11-29T01:00'),
    at('2026-11-28T02:00'),
    at('2026-11-27T02:00'),
    at('2026-11-23T02:00'), // Monday of the same week
    at('2026-11-22T02:00'), // Sunday of the week before
    at('2026-11-16T02:00'),
    at('2026-10-31T02:00'),
    at('2026-10-30T02:00'),
    at('2026-09-30T02:00'),
  ];
  expect(names(kept(times, { daily: 2, weekly: 0, monthly: 0 }))).toEqual(['2026-11-29T02:00', '2026-11-28T02:00']);
  expect(names(kept(times, { daily: 0, weekly: 2, monthly: 0 }))).toEqual(['2026-11-29T02:00', '2026-11-22T02:00']);
  expect(names(kept(times, { daily: 0, weekly: 0, monthly: 3 }))).toEqual([
    '2026-11-29T02:00',
    '2026-10-31T02:00',
    '2026-09-30T02:00',
  ]);
});

test('a period without a backup does not count, so the last good ones stay', () => {
  const times = [at('2026-11-01T02:00'), at('2026-09-01T02:00'), at('2026-01-01T02:00')];
  expect(kept(times, { daily: 2, weekly: 0, monthly: 0 })).toEqual(times.slice(0, 2));
});

test('the newest backup is kept without any rule', () => {
  const times = [at('2026-11-28T02:00'), at('2026-11-29T02:00')];
  expect(names(kept(times, { daily: 0, weekly: 0, monthly: 0 }))).toEqual(['2026-11-29T02:00']);
});
