import { Types } from 'mongoose';
import { beforeAll, expect, test } from 'vitest';
import { goldenFeatures } from '../support/heart-disease.js';
import { ended, patient, submit } from '../support/scenario.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem();
const client = await system.client('CLINICIAN');

async function resultsOf(jobId: string): Promise<string[]> {
  await ended(client, jobId);
  const { data } = await system.post<{ scoringJob: { predictions: { edges: { node: { id: string } }[] } } }>(
    `{ scoringJob(id: "${jobId}") { predictions(first: 500) { edges { node { id } } } } }`,
    undefined,
    await system.token('CLINICIAN'),
  );
  return data!.scoringJob.predictions.edges.map(({ node }) => node.id);
}

async function verify(id: string, role: 'CLINICIAN' | 'ADMIN' = 'CLINICIAN', slug?: string): Promise<unknown> {
  const { data } = await system.post<{ verifyPrediction: unknown }>(
    `{ verifyPrediction(id: "${id}") { agrees modelServed modelSha256 differences } }`,
    undefined,
    await system.token(role, slug),
  );
  return data!.verifyPrediction;
}

let single: string;
beforeAll(async () => {
  const created = await patient(client);
  const job = await submit(client, { patientId: created.id });
  [single] = (await resultsOf(job.id)) as [string];
});

// Shows: 164.312(c)(2)
test('a prediction of a single job agrees in every bit', async () => {
  expect(await verify(single)).toEqual({
    agrees: true,
    modelServed: true,
    modelSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    differences: [],
  });
  expect(await verify(single, 'ADMIN')).toMatchObject({ agrees: true });
});

test('predictions of a batch agree in every bit with those of single jobs', async () => {
  for (let index = 0; index < 10; index += 1) await patient(client, { features: goldenFeatures(index % 3) });
  const batch = await submit(client, { all: true });
  const ids = await resultsOf(batch.id);
  expect(ids.length).toBeGreaterThanOrEqual(11);
  for (const id of ids) expect(await verify(id)).toMatchObject({ agrees: true });
});

test('a prediction without stored explanation agrees in its other values', async () => {
  const created = await patient(client);
  const job = await submit(client, { patientId: created.id, explain: false });
  const [id] = await resultsOf(job.id);
  expect(await verify(id!)).toMatchObject({ agrees: true, differences: [] });
});

test.each<[string, object, string]>([
  ['an output', { probability: 0.1 }, 'probability'],
  ['the last bit of an output', { $nextBit: 'rawOutput' }, 'rawOutput'],
  ['a risk band', { riskBand: 'LOW' }, 'riskBand'],
  ['a contribution', { 'explanation.contributions.3': 0.5 }, 'explanation.contributions[3]'],
])('%s that was changed in the database is named', async (_what, change, difference) => {
  const created = await patient(client, { features: goldenFeatures(1) });
  const job = await submit(client, { patientId: created.id });
  const [id] = await resultsOf(job.id);
  const _id = new Types.ObjectId(id);
  const { collection } = system.app.models.predictions;
  const stored = (await collection.findOne({ _id }))!;
  const $set = '$nextBit' in change ? { rawOutput: nextBit(stored.rawOutput as number) } : change;
  await collection.updateOne({ _id }, { $set });
  expect(await verify(id!)).toMatchObject({ agrees: false, modelServed: true, differences: [difference] });
});

test.each<[string, object, string]>([
  ['inputs that are gone', { $unset: { inputs: 1 } }, 'inputs'],
  ['an input that is gone', { $unset: { 'inputs.age': 1 } }, 'inputs'],
  ['an input that is no number', { $set: { 'inputs.age': '63' } }, 'inputs'],
  ['an input out of its range', { $set: { 'inputs.age': 1e6 } }, 'inputs'],
  ['an unknown method', { $set: { 'explanation.method': 'GUESSWORK' } }, 'explanation.method'],
  ['a text in place of an explanation', { $set: { explanation: 'none' } }, 'explanation'],
  ['contributions that are gone', { $unset: { 'explanation.contributions': 1 } }, 'explanation.contributions'],
])('%s: damage that prevents the same computation is still named', async (_what, change, difference) => {
  const created = await patient(client);
  const job = await submit(client, { patientId: created.id });
  const [id] = await resultsOf(job.id);
  await system.app.models.predictions.collection.updateOne({ _id: new Types.ObjectId(id) }, change);
  expect(await verify(id!)).toMatchObject({ agrees: false, modelServed: true, differences: [difference] });
});

test.each<[string, (values: Buffer) => Buffer, string]>([
  ['the last bit of an output', (values) => (values.writeUInt8(values[0]! ^ 1, 0), values), 'rawOutput'],
  ['an input', (values) => (values.writeDoubleLE(-1e6, 8), values), 'inputs'],
  [
    'the last bit of the last contribution',
    (values) => (values.writeUInt8(values.at(-8)! ^ 1, values.length - 8), values),
    'explanation.contributions[12]',
  ],
  ['the end of the last contribution', (values) => values.subarray(0, -3), 'explanation.contributions[12]'],
  ['everything but an output', (values) => values.subarray(0, 8), 'inputs'],
])('of a batch, %s that was changed or cut off in the database is named', async (_what, change, difference) => {
  const created = await patient(client);
  const batch = await submit(client, { patientIds: [created.id] });
  const [id] = await resultsOf(batch.id);
  const { collection } = system.app.models.predictionBlocks;
  const job = new Types.ObjectId(batch.id);
  const block = await collection.findOne({ job }, { promoteBuffers: true });
  await collection.updateOne(
    { job },
    { $set: { 'rows.0.values': change(Buffer.from((block!.rows as { values: Buffer }[])[0]!.values)) } },
  );
  expect(await verify(id!)).toMatchObject({ agrees: false, modelServed: true, differences: [difference] });
});

// Shows: 164.312(c)(2)
test('changed inputs do not give the stored result', async () => {
  const created = await patient(client);
  const job = await submit(client, { patientId: created.id });
  const [id] = await resultsOf(job.id);
  await system.app.models.predictions.collection.updateOne(
    { _id: new Types.ObjectId(id) },
    { $set: { 'inputs.chest_pain_type': 1, 'inputs.exercise_angina': 0, 'inputs.st_depression': 0 } },
  );
  expect(await verify(id!)).toMatchObject({ agrees: false, modelServed: true });
});

test.each(['SINGLE', 'BATCH'])(
  'an explanation of a %s job that no longer adds up is not shown, the prediction still is',
  async (kind) => {
    const created = await patient(client);
    const job =
      kind === 'SINGLE'
        ? await submit(client, { patientId: created.id })
        : await submit(client, { patientIds: [created.id] });
    const [id] = await resultsOf(job.id);
    const ask = async (field: string) =>
      system.post(`{ prediction(id: "${id}") { probability ${field} } }`, undefined, await system.token('CLINICIAN'));
    const explanation = 'explanation { baseValue contributions { value } }';
    expect(codesOf(await ask(explanation))).toEqual([]);

    const change = { $inc: { 'explanation.baseValue': 0.001 } };
    const { predictions, predictionBlocks } = system.app.models;
    if (kind === 'SINGLE') await predictions.collection.updateOne({ _id: new Types.ObjectId(id) }, change);
    else await predictionBlocks.collection.updateOne({ job: new Types.ObjectId(job.id) }, change);
    const answer = await ask(explanation);
    expect(codesOf(answer)).toEqual(['INTERNAL']);
    expect(answer.data).toEqual({ prediction: { probability: expect.any(Number), explanation: null } });
    expect((await ask('')).data).toMatchObject({ prediction: { probability: expect.any(Number) } });
  },
);

test('a prediction cannot be verified without exactly its model', async () => {
  const created = await patient(client);
  const job = await submit(client, { patientId: created.id });
  const [id] = await resultsOf(job.id);
  await system.app.models.predictions.collection.updateOne(
    { _id: new Types.ObjectId(id) },
    { $set: { modelSha256: '0'.repeat(64) } },
  );
  expect(await verify(id!)).toEqual({
    agrees: false,
    modelServed: false,
    modelSha256: '0'.repeat(64),
    differences: [],
  });
});

test('a prediction of another organization is not there to be verified', async () => {
  expect(await verify(single, 'CLINICIAN', 'beta')).toBeNull();
});

/** Next float64, away from zero. */
function nextBit(value: number): number {
  const bits = new BigInt64Array(new Float64Array([value]).buffer);
  bits[0]! += 1n;
  return new Float64Array(bits.buffer)[0]!;
}
