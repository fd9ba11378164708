import { expect, test } from 'vitest';
import { defaultVersions } from '../../src/model-store/default-version.js';

const at = (seconds: number): Date => new Date(seconds * 1_000);

test('the default of a model is the version chosen last, else the highest', () => {
  const defaults = defaultVersions([
    { id: 'one', version: '1.9.0' },
    { id: 'one', version: '1.10.0' },
    { id: 'two', version: '1.0.0', chosenAt: at(2) },
    { id: 'two', version: '2.0.0', chosenAt: at(1) },
    { id: 'two', version: '3.0.0' },
  ]);
  expect([...defaults].map(([id, { version }]) => [id, version]).sort()).toEqual([
    ['one', '1.10.0'],
    ['two', '1.0.0'],
  ]);
});
