import { describe, expect, test } from 'vitest';
import {
  canary,
  expectRefused,
  someId,
  simulate,
  startBadInputSystem,
  submitBatch,
  submitOne,
  update,
} from '../support/bad-input.js';
import { goldenFeatures, modelId } from '../support/heart-disease.js';
import { codesOf } from '../support/system.js';

const { system, token, patientId, addPatient } = await startBadInputSystem();

describe('an object that does not exist', () => {
  test.each<[string, string, () => object]>([
    ['the patient of updatePatient', update, () => ({ id: someId, expectedVersion: 1, givenName: canary })],
    ['the patient of submitScoringJob', submitOne, () => ({ patientId: someId, modelId })],
    ['a patient id that is none', submitOne, () => ({ patientId: canary, modelId })],
    ['the model of submitScoringJob', submitOne, () => ({ patientId: patientId(), modelId: 'no-such-model' })],
    [
      'the model version of submitScoringJob',
      submitOne,
      () => ({ patientId: patientId(), modelId, modelVersion: '999.0.0' }),
    ],
    ['the model of submitBatchScoringJob', submitBatch, () => ({ all: true, modelId: 'no-such-model' })],
    ['the model of simulateRisk', simulate, () => ({ modelId: 'no-such-model' })],
    ['the patient of simulateRisk', simulate, () => ({ modelId, patientId: someId, features: goldenFeatures(0) })],
  ])('%s is NOT_FOUND', async (_name, operation, input) => {
    const answer = await system.post(operation, { input: input() }, token);
    expect(codesOf(answer)).toEqual(['NOT_FOUND']);
    expect(answer.text).not.toContain(canary);
  });

  test.each(['deletePatient', 'cancelScoringJob', 'retryScoringJob'])(
    '%s of an unknown id is NOT_FOUND',
    async (mutation) => {
      expect(codesOf(await system.post(`mutation { ${mutation}(id: "${someId}") { id } }`, undefined, token))).toEqual([
        'NOT_FOUND',
      ]);
      expect(codesOf(await system.post(`mutation { ${mutation}(id: "garbage") { id } }`, undefined, token))).toEqual([
        'NOT_FOUND',
      ]);
    },
  );

  test('a query for one object answers null, without an error', async () => {
    const { data, errors } = await system.post(
      /* GraphQL */ `
        {
          a: patient(id: "${someId}") {
            id
          }
          b: patient(id: "garbage") {
            id
          }
          c: patient(mrn: "${canary}") {
            id
          }
          d: prediction(id: "${someId}") {
            id
          }
          e: scoringJob(id: "${someId}") {
            id
          }
          f: riskModel(id: "x") {
            id
          }
          g: riskModel(id: "${modelId}", version: "9.9.9") {
            id
          }
        }
      `,
      undefined,
      token,
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({ a: null, b: null, c: null, d: null, e: null, f: null, g: null });
  });

  test('a required feature that the patient lacks is BAD_USER_INPUT at submission', async () => {
    const poor = await addPatient({ features: [{ code: 'cholesterol', value: 200 }] });
    const answer = await system.post(submitOne, { input: { patientId: poor, modelId } }, token);
    expectRefused(answer, 'patientId', /age is required, in years/);
    expectRefused(answer, 'patientId', /sex is required/);
    expectRefused(answer, 'patientId', /chest_pain_type is required/);
  });
});
