import { expect, test } from 'vitest';
import { chooseColumns } from '../../../src/risk/draft/feature-names.js';

const header = ['crp', 'lactate', 'died'];

test('a target that was not named is asked for, where the CSV has more columns than the model has features', () => {
  expect(() => chooseColumns(header, { featureCount: 2 })).toThrow(
    'name the column that the model predicts by --target, or name the columns of the features by --features',
  );
  expect(chooseColumns(header, { featureCount: 2, target: 'died' })).toEqual(['crp', 'lactate']);
});

test('a named target is not asked for again', () => {
  expect(() => chooseColumns(header, { featureCount: 3, target: 'died' })).toThrow(/features; name the columns of/);
});
