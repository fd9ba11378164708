import { expect, test } from 'vitest';
import { defined } from '../../src/process/defined.js';

test('an object loses the fields that are undefined, and keeps null, 0, false and the empty text', () => {
  const values = { absent: undefined, none: null, zero: 0, no: false, empty: '' };
  expect(Object.entries(defined(values))).toEqual([
    ['none', null],
    ['zero', 0],
    ['no', false],
    ['empty', ''],
  ]);
  expect(Object.keys(values)).toContain('absent');
});
