import { afterAll, beforeAll, expect, test } from 'vitest';
import { PredictionDocument, SimulateRiskDocument } from '../../src/client/generated/graphql.js';
import type { RiskModel } from '../../src/risk/risk-model.js';
import { goldenFeatures, heartDisease, modelId } from '../support/heart-disease.js';
import { ended, patient, scored, submit } from '../support/scenario.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem();
const client = await system.client('CLINICIAN');
const token = await system.token('CLINICIAN');
const model = system.app.registry.find(modelId, heartDisease.version)!;
const sound = model.explain;

/** The risk model of the API and its worker, from now on with wrong explanations. */
function spoil(change: (contributions: Float64Array) => void): void {
  const explain: RiskModel['explain'] = async (...given) => {
    const explanations = await sound(...given);
    for (const { contributions } of explanations) change(contributions);
    return explanations;
  };
  Object.assign(model, { explain });
}

let withExplanation: string;
let withoutExplanation: string;
beforeAll(async () => {
  withExplanation = (await scored(client)).predictionId;
  const { id } = await submit(client, { patientId: (await patient(client)).id, explain: false });
  withoutExplanation = (await ended(client, id)).prediction!.id;
});
afterAll(() => Object.assign(model, { explain: sound }));

const changes: [string, (contributions: Float64Array) => void][] = [
  ['a value that is wrong', (contributions) => (contributions[0]! += 1e-3)],
  ['a value that is not a number', (contributions) => (contributions[2] = Number.NaN)],
  ['a value beyond all bounds', (contributions) => (contributions[1] = 1e191)],
];

test.each(changes)('every door refuses an explanation with %s', async (_what, change) => {
  spoil(change);

  const { id: patientId } = await patient(client);
  const job = await ended(client, (await submit(client, { patientId })).id);
  expect(job).toMatchObject({ state: 'FAILED', error: { code: 'INTERNAL' } });
  expect(job.error!.message).toMatch(
    /There is no result, because the SHAP values do not add up .*riskgraph model check/,
  );
  expect(job.prediction).toBeNull();

  const simulate = client.request(SimulateRiskDocument, { input: { modelId, features: [...goldenFeatures(0)] } });
  await expect(simulate).rejects.toThrow(/^INTERNAL: /);

  // The explanation of this prediction was not stored, so it is computed when it is read.
  await expect(client.request(PredictionDocument, { id: withoutExplanation })).rejects.toThrow(/^INTERNAL: /);

  const { data, errors } = await system.post<{ verifyPrediction: { agrees: boolean; differences: string[] } }>(
    `{ verifyPrediction(id: "${withExplanation}") { agrees differences } }`,
    undefined,
    token,
  );
  expect(codesOf({ errors })).toEqual([]);
  expect(data!.verifyPrediction.agrees).toBe(false);
  expect(data!.verifyPrediction.differences).toContain('explanation.additivityError');
});
