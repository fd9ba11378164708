import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { callsPerSecond, inpatients, mostErrors, screens, serviceLevels } from '../../bench/load/mix.js';

const page = readFileSync('docs/service-levels.md', 'utf8');

test('docs/service-levels.md has the promises that the load test measures, each with a figure or the reason for none', () => {
  const rows = [...page.matchAll(/^\| (.+?) \| (.+?) \| (.+?) \|$/gm)].map(([, ...cells]) => cells);
  for (const { name, percentile, milliseconds } of Object.values(serviceLevels)) {
    const promise = percentile === 100 ? `all within ${milliseconds} ms` : `${percentile} % within ${milliseconds} ms`;
    const row = rows.find(([what]) => what === name);
    expect(row?.[1], name).toBe(promise);
    expect(row![2], name).toMatch(/^(?:\d+ ms|no quiet run yet)/);
  }
  expect(rows.find(([what]) => what === 'calls that fail')![1]).toBe(`at most ${100 * mostErrors} %`);
});

test('docs/service-levels.md describes the mix that runs', () => {
  const calls = Object.values(callsPerSecond).reduce((sum, rate) => sum + rate, 0);
  const text = page.replaceAll('\n', ' ');
  expect(text).toContain(`some ${Math.round(calls)} calls per second`);
  expect(text).toContain(`${screens} screens`);
  expect(text).toContain(`all ${inpatients} inpatients`);
});
