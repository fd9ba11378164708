import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Types } from 'mongoose';
import { beforeAll, expect, test } from 'vitest';
import {
  PredictionCreatedDocument,
  PredictionDocument,
  PredictionsDocument,
  RiskModelsDocument,
  SimulateRiskDocument,
  type PredictionFieldsFragment,
} from '../../src/client/generated/graphql.js';
import { exportedFacts, featuresOf, writeQuantityBundle } from '../risk/support/exported-bundle.js';
import { runCommand } from '../support/run-command.js';
import { ended, patient, submit } from '../support/scenario.js';
import { settingsFor, startSystem } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** A model whose trees add up to days, and one whose trees add up to their logarithm. */
const models = { identity: 'gb-quantity', logarithm: 'lgb-poisson' } as const;

async function writeBundles(): Promise<string> {
  const folder = await temporaryDirectory();
  await writeQuantityBundle(join(folder, 'identity'), models.identity, 'IDENTITY');
  await writeQuantityBundle(join(folder, 'logarithm'), models.logarithm, 'LOG');
  return folder;
}

const system = await startSystem({ environment: { RISK_MODELS_DIRECTORY: await writeBundles() } });
const client = await system.client('CLINICIAN');
const token = await system.token('CLINICIAN');
const facts = { identity: await exportedFacts(models.identity), logarithm: await exportedFacts(models.logarithm) };
const given = (row: number): { code: string; value: number }[] =>
  Object.entries(featuresOf(facts.identity.rows[row]!)).map(([code, value]) => ({ code, value }));

const patientIds: string[] = [];
beforeAll(async () => {
  for (let row = 0; row < 3; row += 1) patientIds.push((await patient(client, { features: given(row) })).id);
});

/** Checks that a prediction is the library's own number of days, and that its explanation adds up to it. */
function expectDays(prediction: PredictionFieldsFragment, kind: keyof typeof models, row: number): void {
  const expected = facts[kind].output[row]![0]!;
  expect(prediction).toMatchObject({ probability: null, unit: 'd', riskBand: expected < 1 ? 'LOW' : 'HIGH' });
  expect(prediction.value).toBeCloseTo(expected, 5);
  const { outputSpace, baseValue, outputValue, contributions } = prediction.explanation!;
  const sum = contributions.reduce((total, { value }) => total + value, baseValue);
  expect(sum).toBeCloseTo(outputValue, 9);
  expect(outputSpace).toBe(kind === 'identity' ? 'IDENTITY' : 'LOG');
  expect(kind === 'identity' ? sum : Math.exp(sum)).toBeCloseTo(prediction.value, 9);
}

test.each(['identity', 'logarithm'] as const)('a single job gives the quantity of the %s model', async (kind) => {
  const { id } = await submit(client, { patientId: patientIds[0]!, modelId: models[kind] });
  const { prediction } = await ended(client, id);
  expectDays(prediction!, kind, 0);
  const { data } = await system.post<Record<string, { agrees: boolean; explanation: { waterfall: string } }>>(
    `{ verifyPrediction(id: "${prediction!.id}") { agrees differences }
       prediction(id: "${prediction!.id}") { explanation { waterfall } } }`,
    undefined,
    token,
  );
  expect(data!.verifyPrediction).toEqual({ agrees: true, differences: [] });
  expect(data!.prediction!.explanation.waterfall).toContain('days, ');
});

test('a batch gives quantities, its subscribers get them, and they agree in every bit', async () => {
  const created = client.subscribe(PredictionCreatedDocument, { patientId: patientIds[1]! });
  const first = created.next();
  // The protocol does not acknowledge a single subscription.
  await expect
    .poll(async () => (await fetch(`${system.url}/metrics`)).text())
    .toContain('riskgraph_subscriptions{kind="predictionCreated"} 1');
  const { id } = await submit(client, { patientIds, modelId: models.logarithm });
  await ended(client, id);
  const { predictions } = await client.request(PredictionsDocument, { filter: { jobId: id } });
  expect(predictions.totalCount).toBe(3);
  for (const { node } of predictions.edges) {
    expectDays(node, 'logarithm', patientIds.indexOf(node.patient!.id));
    const { data } = await system.post(`{ verifyPrediction(id: "${node.id}") { agrees } }`, undefined, token);
    expect(data).toEqual({ verifyPrediction: { agrees: true } });
  }
  const { predictionCreated } = (await first).value as { predictionCreated: PredictionFieldsFragment };
  expectDays(predictionCreated, 'logarithm', 1);
  await created.return?.();
  for (const riskBand of ['LOW', 'HIGH'] as const) {
    const filter = { jobId: id, riskBands: [riskBand] };
    expect((await client.request(PredictionsDocument, { filter })).predictions.totalCount).toBe(
      predictions.edges.filter(({ node }) => node.riskBand === riskBand).length,
    );
  }
  const byProbability = { filter: { jobId: id, minimumProbability: 0 } };
  expect((await client.request(PredictionsDocument, byProbability)).predictions.totalCount).toBe(0);
});

test('a stored quantity or unit that was changed is named', async () => {
  const { id } = await submit(client, { patientId: patientIds[2]!, modelId: models.identity });
  const { prediction } = await ended(client, id);
  await system.app.models.predictions.collection.updateOne(
    { _id: new Types.ObjectId(prediction!.id) },
    { $set: { quantity: 1, unit: 'h' } },
  );
  const { data } = await system.post(`{ verifyPrediction(id: "${prediction!.id}") { differences } }`, undefined, token);
  expect(data).toEqual({ verifyPrediction: { differences: ['quantity', 'unit'] } });
  expect((await client.request(PredictionDocument, { id: prediction!.id })).prediction).toMatchObject({
    value: 1,
    unit: 'h',
  });
});

test('simulateRisk gives a quantity with its unit', async () => {
  const { simulateRisk } = await client.request(SimulateRiskDocument, {
    input: { modelId: models.logarithm, features: given(4) },
  });
  expect(simulateRisk).toMatchObject({ probability: null, unit: 'd' });
  expect(simulateRisk.value).toBeCloseTo(facts.logarithm.output[4]![0]!, 5);
  expect(Math.exp(simulateRisk.explanation.outputValue)).toBeCloseTo(simulateRisk.value, 9);
});

test('a model says that its answer is a quantity', async () => {
  const { riskModels } = await client.request(RiskModelsDocument);
  expect(riskModels.map(({ outputSpace, quantity }) => ({ outputSpace, quantity }))).toEqual([
    { outputSpace: 'IDENTITY', quantity: { unit: 'd', unitLabel: 'days' } },
    { outputSpace: 'LOG', quantity: { unit: 'd', unitLabel: 'days' } },
  ]);
  const { data } = await system.post(
    `{ riskModel(id: "${models.identity}") { training { events } riskBands { from } } }`,
    undefined,
    token,
  );
  expect(data).toEqual({ riskModel: { training: { events: null }, riskBands: [{ from: 0 }, { from: 1 }] } });
});

test('score writes the quantity and its unit in place of the probability', async () => {
  const folder = await temporaryDirectory();
  const [file, out] = [join(folder, 'cohort.csv'), join(folder, 'out.csv')];
  await writeFile(file, `mrn,f0,f1,f2,f3\nSTAY-1,${facts.logarithm.rows[0]!.join()}\n`);
  const { code, errors } = await runCommand(
    ['score', file, '--model', models.logarithm, '--out', out, '--url', system.url, '--token', '-'],
    settingsFor(system.app.config),
    token,
  );
  expect({ code, errors }).toMatchObject({ code: 0 });
  const [header, line] = (await readFile(out, 'utf8')).trim().split('\n');
  expect(header).toBe(
    'mrn,value,unit,risk_band,raw_output,base_value,contribution_f0,contribution_f1,contribution_f2,contribution_f3,failure',
  );
  const [mrn, value, unit, , rawOutput, ...parts] = line!.split(',').slice(0, -1);
  expect([mrn, unit]).toEqual(['STAY-1', 'd']);
  expect(Number(value)).toBeCloseTo(facts.logarithm.output[0]![0]!, 5);
  expect(parts.reduce((sum, part) => sum + Number(part), 0)).toBeCloseTo(Number(rawOutput), 9);
});
