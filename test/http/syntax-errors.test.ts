import { expect, test } from 'vitest';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const token = await system.token('CLINICIAN');

test.each([
  ['nothing behind a bracket', '{', ' (Expected Name, found <EOF>)'],
  ['a word too much', '{ viewer { role } } canary', ' (Unexpected Name)'],
  ['a text in the place of a name', '{ "Canary, 1950" }', ' (Expected Name, found String)'],
  [
    'a variable in a default value',
    'query ($a: ID = $canary) { viewer { role } }',
    ' (Unexpected variable in constant value)',
  ],
  ['a letter of another script', '{ viewer { role } } \u00e4canary', ' (Unexpected character)'],
  ['a text without end', '{ patients(filter: { mrn: "Canary', ''],
])('%s is refused with the reason of the parser, and no value', async (_name, query, reason) => {
  const { errors, text } = await system.post(query, undefined, token);
  expect(errors!.map(({ message }) => message)).toEqual([
    `query: has a syntax error: check its brackets and quotes${reason}`,
  ]);
  expect(text.toLowerCase()).not.toContain('canary');
});
