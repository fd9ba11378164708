import { expect, test } from 'vitest';
import { compareVersions } from '../../src/process/compare-versions.js';

test('versions are ordered by number', () => {
  expect(['1.0.0', '1.10.0', '0.9.9', '1.9.0', '1.0.1'].sort(compareVersions)).toEqual([
    '0.9.9',
    '1.0.0',
    '1.0.1',
    '1.9.0',
    '1.10.0',
  ]);
  expect(compareVersions('2.0.0', '2.0.0')).toBe(0);
});

test('a missing part counts as 0', () => {
  expect(compareVersions('2.34', '2.34.0')).toBe(0);
  expect(compareVersions('2.34', '2.34.1')).toBeLessThan(0);
  expect(compareVersions('2.4.1', '2.4')).toBeGreaterThan(0);
});
