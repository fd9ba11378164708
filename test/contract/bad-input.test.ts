import { describe, expect, test } from 'vitest';
import {
  canary,
  createOne,
  expectRefused,
  someId,
  simulate,
  startBadInputSystem,
  submitBatch,
  submitOne,
  update,
} from '../support/bad-input.js';
import { goldenFeatures, modelId } from '../support/heart-disease.js';
import { postBody } from '../support/system.js';

const { system, token, patientId } = await startBadInputSystem();

describe('values in variables', () => {
  test.each<[string, object, string, RegExp]>([
    [
      'a feature that no model has',
      { mrn: canary, features: [{ code: 'colesterol', value: 200 }] },
      'features[0].code',
      /no risk model served has a feature "colesterol"/,
    ],
    [
      'a code that is no code',
      { mrn: 'x', features: [{ code: `${canary} x`, value: 200 }] },
      'features[0].code',
      /\(a code with a blank\)/,
    ],
    [
      'a value above its range',
      { mrn: canary, features: [{ code: 'cholesterol', value: 4711.5 }] },
      'features[0].value',
      /cholesterol must be between 50 and 1000 mg\/dL$/,
    ],
    [
      'a value in another unit',
      { mrn: canary, features: [{ code: 'resting_bp', value: 13.5 }] },
      'features[0].value',
      /resting_bp must be between 50 and 300 mm Hg$/,
    ],
    [
      'a value between two codes',
      { mrn: canary, features: [{ code: 'sex', value: 0.5 }] },
      'features[0].value',
      /sex must be 0 \(female\) or 1 \(male\)$/,
    ],
    [
      'half a count',
      { mrn: canary, features: [{ code: 'major_vessels', value: 1.5 }] },
      'features[0].value',
      /whole number, between 0 and 3/,
    ],
    [
      'a feature given twice',
      {
        mrn: canary,
        features: [
          { code: 'cholesterol', value: 200 },
          { code: 'cholesterol', value: 201 },
        ],
      },
      'features[1].code',
      /same feature as features\[0\]/,
    ],
    [
      'the second of two features',
      {
        mrn: canary,
        features: [
          { code: 'cholesterol', value: 200 },
          { code: 'age', value: 4711 },
        ],
      },
      'features[1].value',
      /age must be between 18 and 120 years/,
    ],
    [
      'a text for a number',
      { mrn: 'x', features: [{ code: 'cholesterol', value: canary }] },
      'features[0].value',
      /must be a finite number/,
    ],
    ['a number for a text', { mrn: 4711 }, 'mrn', /must be a text/],
    ['an object for a text', { mrn: { a: canary } }, 'mrn', /must be a text/],
    ['a text that is no date', { mrn: 'x', birthDate: canary }, 'birthDate', /must be a calendar date, YYYY-MM-DD/],
    [
      'a day that is in no calendar',
      { mrn: canary, birthDate: '2021-02-29' },
      'birthDate',
      /must be a calendar date, YYYY-MM-DD/,
    ],
    ['a birth date to come', { mrn: canary, birthDate: '2999-01-01' }, 'birthDate', /must not be in the future/],
    ['a birth date long ago', { mrn: canary, birthDate: '1066-10-14' }, 'birthDate', /must not be before 1850/],
    ['a sex that is none', { mrn: 'x', sex: canary }, 'sex', /must be a value of the enum AdministrativeGender/],
    ['no MRN', { givenName: canary }, 'mrn', /is required/],
    ['a feature without code', { mrn: canary, features: [{ value: 1 }] }, 'features[0].code', /is required/],
    [
      'a feature without value',
      { mrn: canary, features: [{ code: 'cholesterol' }] },
      'features[0].value',
      /must be a number, or null/,
    ],
    ['a blank MRN', { mrn: '  ', givenName: canary }, 'mrn', /must not be empty/],
    ['an MRN that is too long', { mrn: canary.repeat(10) }, 'mrn', /at most 64 characters/],
    ['a name that is too long', { mrn: 'x', familyName: canary.repeat(30) }, 'familyName', /at most 200 characters/],
    ['a name with a NUL', { mrn: 'x', givenName: `${canary}\0` }, 'givenName', /no control characters/],
    [
      'a field that there is not',
      { mrn: canary, nickname: canary },
      'nickname',
      /there is no field nickname in CreatePatientInput/,
    ],
  ])('createPatient refuses %s', async (_name, input, path, message) => {
    expectRefused(await system.post(createOne, { input }, token), path, message);
  });

  // Shows: owasp/specific-types
  test('every issue is named at once', async () => {
    const { errors } = await system.post(
      createOne,
      { input: { mrn: '', givenName: canary.repeat(30), birthDate: '1066-10-14' } },
      token,
    );
    expect(errors![0]!.extensions!.fields!.map(({ path }) => path)).toEqual(['mrn', 'givenName', 'birthDate']);
  });

  // Shows: owasp/specific-types
  test('Infinity, written as 1e999 in JSON, and NaN, which JSON has no way to write, are refused', async () => {
    const body = (number: string): string =>
      `{"query":${JSON.stringify(createOne)},"variables":{"input":{"mrn":"${canary}","features":[{"code":"cholesterol","value":${number}}]}}}`;
    expectRefused(await postBody(system.url, body('1e999'), token), 'features[0].value', /must be a finite number/);
    expectRefused(await postBody(system.url, body('-1e999'), token), 'features[0].value', /must be a finite number/);
    expectRefused(await postBody(system.url, body('NaN'), token), 'body', /is not valid JSON/);
  });

  test.each<[string, string, () => object, string, RegExp]>([
    [
      'updatePatient',
      'an MRN taken away',
      () => ({ id: patientId(), expectedVersion: 1, mrn: null }),
      'mrn',
      /not null/,
    ],
    [
      'updatePatient',
      'a version that can be none',
      () => ({ id: patientId(), expectedVersion: 0 }),
      'expectedVersion',
      /at least 1/,
    ],
    ['updatePatient', 'no version', () => ({ id: patientId() }), 'expectedVersion', /is required/],
    [
      'updatePatient',
      'a value out of range',
      () => ({ id: patientId(), expectedVersion: 1, features: [{ code: 'age', value: 4711 }] }),
      'features[0].value',
      /between 18 and 120 years/,
    ],
    [
      'submitScoringJob',
      'a priority that there is not',
      () => ({ patientId: patientId(), modelId, priority: 11 }),
      'priority',
      /from 0 to 10/,
    ],
    [
      'submitScoringJob',
      'an endless idempotency key',
      () => ({ patientId: patientId(), modelId, idempotencyKey: 'k'.repeat(201) }),
      'idempotencyKey',
      /at most 200 characters/,
    ],
    [
      'submitScoringJob',
      'an empty idempotency key',
      () => ({ patientId: patientId(), modelId, idempotencyKey: '' }),
      'idempotencyKey',
      /must not be empty/,
    ],
    [
      'submitBatchScoringJob',
      'no patients at all',
      () => ({ modelId }),
      'patientIds',
      /exactly one of patientIds, filter, or all: true/,
    ],
    [
      'submitBatchScoringJob',
      'two ways to name patients',
      () => ({ modelId, all: true, patientIds: [patientId()] }),
      'patientIds',
      /exactly one of patientIds, filter, or all: true/,
    ],
    ['submitBatchScoringJob', 'an empty list', () => ({ modelId, patientIds: [] }), 'patientIds', /must not be empty/],
    [
      'submitBatchScoringJob',
      'patients that do not exist',
      () => ({ modelId, patientIds: [patientId(), someId, canary] }),
      'patientIds[2]',
      /was not found/,
    ],
    [
      'submitBatchScoringJob',
      'a filter that no patient meets',
      () => ({ modelId, filter: { mrn: canary } }),
      'filter',
      /matches no patient/,
    ],
    [
      'submitBatchScoringJob',
      'a name that no person can have',
      () => ({ modelId, filter: { familyName: `${canary}\0` } }),
      'filter.familyName',
      /no control characters/,
    ],
    [
      'simulateRisk',
      'a feature that no model has',
      () => ({ modelId, features: [...goldenFeatures(0), { code: 'colesterol', value: 1 }] }),
      `features[${goldenFeatures(0).length}].code`,
      /no risk model served/,
    ],
    [
      'simulateRisk',
      'a value out of range',
      () => ({ modelId, features: [{ code: 'age', value: 4711 }] }),
      'features[0].value',
      /between 18 and 120 years/,
    ],
    [
      'simulateRisk',
      'required features that are missing',
      () => ({ modelId, features: [{ code: 'cholesterol', value: 200 }] }),
      'features',
      /is required, in years/,
    ],
  ])('%s refuses %s', async (operation, _name, input, path, message) => {
    const operations: Record<string, string> = {
      updatePatient: update,
      submitScoringJob: submitOne,
      submitBatchScoringJob: submitBatch,
      simulateRisk: simulate,
    };
    expectRefused(await system.post(operations[operation]!, { input: input() }, token), path, message);
  });
});
