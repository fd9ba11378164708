/** Covers src/patients/patient-input.ts, src/scope/patient-cipher.ts, src/process/visible-text.ts. */
// Threat: two patients get MRNs that look the same, so that the values of one are read or written for the other.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkCohort, cohortRows } from '../../src/commands/cohort-check.js';
import { openCohortFile } from '../../src/commands/cohort-file.js';
import { heartDisease, newPatient } from '../support/heart-disease.js';
import { codesOf, startSystem, type Answer } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const system = await startSystem({ worker: false });
const token = await system.token('CLINICIAN');
const create = (mrn: string): Promise<Answer<{ createPatient: { id: string; mrn: string } }>> =>
  system.post(
    'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id mrn } }',
    { input: newPatient({ mrn }) },
    token,
  );

/** Spellings of `A-1 02` that look the same, or nearly. */
const alike: [string, string][] = [
  ['full-width letters', '\uff21-1 02'],
  ['another kind of hyphen', 'A\u20111 02'],
  ['a minus sign', 'A\u22121 02'],
  ['a hyphen bullet', 'A\u20431 02'],
  ['a wide space', 'A-1\u300002'],
  ['spaces around it', '  A-1  02 '],
];
const hidden: [string, string][] = [
  ['a zero-width space', 'A-1\u200b 02'],
  ['a soft hyphen', 'A\u00ad-1 02'],
  ['marks of direction', '\u202eA-1 02\u202c'],
  ['a byte order mark within', 'A-\ufeff1 02'],
  ['a filler', 'A-1 02\u3164'],
];

describe('an MRN', async () => {
  const first = (await create('A-1 02')).data!.createPatient;

  // Shows: owasp/unicode
  test.each(alike)('is taken also when it is written with %s', async (_name, mrn) => {
    expect(codesOf(await create(mrn))).toEqual(['CONFLICT']);
  });

  // Shows: owasp/unicode
  test.each(hidden)('with %s is refused', async (_name, mrn) => {
    const { errors } = await create(mrn);
    expect(errors![0]!.extensions).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ path: 'mrn' }] });
    const changed = await system.post(
      'mutation ($input: UpdatePatientInput!) { updatePatient(input: $input) { id } }',
      { input: { id: first.id, expectedVersion: 1, mrn } },
      token,
    );
    expect(codesOf(changed)).toEqual(['BAD_USER_INPUT']);
  });

  // Shows: owasp/unicode
  test.each([
    ['Cyrillic', '\u0410B-1'],
    ['Greek', 'B\u0391-1'],
    ['Cherokee', '\u13aaB-1'],
    ['Lisu', '\ua4eeB-1'],
  ])('with letters that look Latin among Latin ones is refused: %s', async (_alphabet, mrn) => {
    const { errors } = await create(mrn);
    expect(errors![0]!.extensions).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ path: 'mrn' }] });
  });

  test.each(['\u0410\u0411-17', '\u60a3\u8005-17', '\u03b1\u03b2-17', '\u00c4-17'])(
    'of one alphabet is accepted: %s',
    async (mrn) => {
      expect(codesOf(await create(mrn))).toEqual([]);
    },
  );

  test.each([...alike, ...hidden])('is found when it is written with %s', async (_name, mrn) => {
    const { data } = await system.post(
      'query ($mrn: String!) { patient(mrn: $mrn) { id } patients(filter: { mrn: $mrn }) { totalCount } }',
      { mrn },
      token,
    );
    expect(data).toEqual({ patient: { id: first.id }, patients: { totalCount: 1 } });
  });

  test('is stored in one spelling', async () => {
    expect((await create('\uff22\u20117')).data!.createPatient.mrn).toBe('B-7');
  });
});

describe('a cohort', () => {
  const read = async (...mrns: string[]) => {
    const path = join(await temporaryDirectory(), 'cohort.csv');
    await writeFile(path, ['mrn', ...mrns].join('\n'));
    const file = await openCohortFile(path);
    onTestFinished(() => file.close());
    const reading = { features: new Map(heartDisease.features.map((feature) => [feature.code, feature])) };
    await checkCohort(file, 'utf-8', reading);
    const rows = [];
    for await (const row of cohortRows(file, 'utf-8', reading)) rows.push(row);
    return rows;
  };

  // Shows: owasp/unicode
  test('has each MRN once, in whatever spelling, and none with characters that cannot be seen', async () => {
    await expect(read('A-9', '\uff21\u20119')).rejects.toThrow('line 3: the same mrn as in line 2');
    await expect(read('A-9', 'A-\u200b10')).rejects.toThrow('line 3: mrn has characters that cannot be seen');
    expect((await read('\uff21\u20119')).map(({ mrn }) => mrn)).toEqual(['A-9']);
  });
});
