import { describe, expect, test } from 'vitest';
import { Role } from '../../models/index.js';
import type { Viewer } from '../../src/auth/viewer.js';
import { isAge, isPooled, shownValue } from '../../src/patients/de-identification.js';

const viewer = (role: Role): Viewer =>
  ({
    username: 'an-analyst',
    organizationId: 'aaaaaaaaaaaaaaaaaaaaaaaa',
    role,
    expiresAt: Infinity,
    origin: { requestId: 'test', address: '127.0.0.1' },
  }) as never;
const analyst = viewer(Role.ANALYST);
const years = { unit: 'a' };

describe('an age is', () => {
  test.each<[string, string, Parameters<typeof isAge>[1]]>([
    ['what a model takes from the birth date', 'years_lived', { unit: 'a', source: 'PATIENT_AGE' }],
    ['the code age', 'age', years],
    ['the code age in any unit', 'age', { unit: '1' }],
    ['the code age of a model that is gone', 'age', undefined],
    ['the word age and years', 'age_at_onset', years],
    ['the word age and months', 'gestational_age', { unit: 'mo' }],
    ['the word age of a model that is gone', 'patient_age', undefined],
  ])('%s', (_name, code, feature) => {
    expect(isAge(code, feature)).toBe(true);
  });

  test.each<[string, string, Parameters<typeof isAge>[1]]>([
    ['the letters within a word', 'stage', years],
    ['the letters of a model that is gone', 'dosage', undefined],
    ['the word age, but a unit of something else', 'bone_age_score', { unit: '1' }],
    ['years of something else', 'years_of_smoking', years],
    ['sex', 'sex', { unit: '1', source: 'PATIENT_SEX' }],
    ['a code as any object has it', 'age_x', { unit: 'constructor' }],
  ])('not %s', (_name, code, feature) => {
    expect(isAge(code, feature)).toBe(false);
  });
});

describe('an age as ANALYST sees it', () => {
  test.each<[string, number | null, number | null, boolean]>([
    ['a', 97, 90, true],
    ['a', 90, 90, true],
    ['a', 89.99, 89, false],
    ['a', 54.3726, 54, false],
    ['a', null, null, false],
    ['mo', 1_100, 1_080, true],
    ['mo', 1_079, 1_068, false],
    ['mo', 90, 84, false],
    ['d', 33_000, 90 * 365.25, true],
    ['d', 400, 365.25, false],
    ['1', 97, 90, true],
  ])('%s %d reads %d', (unit, value, shown, pooled) => {
    expect(shownValue('age', { unit }, value, analyst)).toBe(shown);
    expect(isPooled('age', { unit }, shown, analyst)).toBe(pooled);
    expect(shownValue('age', { unit }, value, viewer(Role.CLINICIAN))).toBe(value);
    expect(isPooled('age', { unit }, shown, viewer(Role.CLINICIAN))).toBe(false);
  });

  test('a value that is not an age is shown unchanged', () => {
    expect(shownValue('cholesterol', { unit: 'mg/dL' }, 243.7, analyst)).toBe(243.7);
    expect(isPooled('cholesterol', { unit: 'mg/dL' }, 90, analyst)).toBe(false);
  });
});
