import { Types } from 'mongoose';
import { pino } from 'pino';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LatestResult, Prediction } from '../../models/index.js';
import { createLatestConditions, worklistModelOf } from '../../src/patients/latest-conditions.js';
import { migrateData } from '../../src/predictions/migrate-data.js';
import { latestPredictionOf, predictionOfResult } from '../../src/predictions/latest-results.js';
import { careTeams } from '../support/care-team.js';
import { goldenFeatures, modelId } from '../support/heart-disease.js';
import { ended, patient, scored, submit } from '../support/scenario.js';
import { codesOf, startSystem } from '../support/system.js';

// The maintenance runs rarely, so that a test decides when results are collected and repaired.
const system = await startSystem({ environment: { RECONCILE_INTERVAL_MS: '60000' } });
const { models, latestResults, scoringRecords } = system.app;
const client = await system.client('CLINICIAN');
const token = await system.token('CLINICIAN');

interface Row {
  readonly id: string;
  readonly latestPrediction: { readonly id: string; readonly probability: number; readonly riskBand: string } | null;
}
interface Worklist {
  readonly patients: {
    readonly edges: readonly { readonly cursor: string; readonly node: Row }[];
    readonly totalCount: number;
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

const document = /* GraphQL */ `
  query ($first: Int, $after: String, $filter: PatientFilter, $orderBy: PatientOrder) {
    patients(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
      edges {
        cursor
        node {
          id
          latestPrediction {
            id
            probability
            riskBand
          }
        }
      }
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;
const highestFirst = { field: 'LATEST_PROBABILITY', direction: 'DESC' };
const list = (variables: object, by = token) =>
  system.post<Worklist>(document, { orderBy: highestFirst, ...variables }, by);
const rows = async (variables: object = {}, by = token): Promise<Row[]> => {
  const { data, errors } = await list(variables, by);
  if (!data) throw new Error(JSON.stringify(errors));
  return data.patients.edges.map(({ node }) => node);
};
const probabilities = (found: readonly Row[]): number[] => found.map((row) => row.latestPrediction!.probability);
const storedResult = async (patientId: string): Promise<LatestResult | undefined> =>
  (await models.patients.findById(patientId).lean())?.latestResults?.[modelId];

/** Writes the results of batches that no worker has written yet. */
const collected = async (): Promise<void> => {
  while (!(await latestResults.collect()));
};

const people: string[] = [];
let unscored: string;

beforeAll(async () => {
  for (let index = 0; index < 6; index += 1) {
    const features = goldenFeatures(index);
    people.push((await patient(client, { features, sex: index % 2 ? 'MALE' : 'FEMALE', familyName: 'Worklist' })).id);
  }
  unscored = (await patient(client)).id;
  const batch = await submit(client, { patientIds: people.slice(0, 4) });
  await ended(client, batch.id);
  for (const patientId of people.slice(4)) await ended(client, (await submit(client, { patientId })).id);
  await collected();
});

describe('the worklist', () => {
  test('has the highest risk first, from cursor to cursor, for results of batches and of single jobs', async () => {
    const all = await rows();
    expect(new Set(all.map(({ id }) => id))).toEqual(new Set(people));
    expect(probabilities(all)).toEqual(probabilities(all).sort((a, b) => b - a));
    const paged: Row[] = [];
    for (let after: string | null = null; ;) {
      const { data }: { data?: Worklist | null } = await list({ first: 2, after });
      paged.push(...data!.patients.edges.map(({ node }) => node));
      expect(data!.patients.totalCount).toBe(people.length);
      if (!data!.patients.pageInfo.hasNextPage) break;
      after = data!.patients.pageInfo.endCursor;
    }
    expect(paged).toEqual(all);
    expect(await rows({ orderBy: { ...highestFirst, direction: 'ASC' } })).toEqual([...all].reverse());
  });

  test('shows with each patient the prediction that decides its place', async () => {
    for (const { id, latestPrediction } of await rows()) {
      const { data } = await system.post<{ predictions: { edges: { node: Row['latestPrediction'] }[] } }>(
        `{ predictions(first: 1, filter: { patientId: "${id}" }) { edges { node { id probability riskBand } } } }`,
        undefined,
        token,
      );
      expect(latestPrediction).toEqual(data!.predictions.edges[0]!.node);
    }
    const { data } = await system.post<{ patient: Row }>(
      `{ patient(id: "${unscored}") { latestPrediction { id } } }`,
      undefined,
      token,
    );
    expect(data!.patient.latestPrediction).toBeNull();
  });

  test('is filtered by band and by a range of the probability, in any order, and so is a batch', async () => {
    const all = await rows();
    const middle = all[3]!.latestPrediction!.probability;
    expect(await rows({ filter: { minimumLatestProbability: middle } })).toEqual(all.slice(0, 4));
    expect(await rows({ filter: { maximumLatestProbability: middle } })).toEqual(all.slice(3));
    const band = all[0]!.latestPrediction!.riskBand;
    const ofBand = all.filter((row) => row.latestPrediction!.riskBand === band);
    expect(await rows({ filter: { latestRiskBands: [band] } })).toEqual(ofBand);
    const newest = await rows({ filter: { latestRiskBands: [band] }, orderBy: null });
    expect(new Set(newest.map(({ id }) => id))).toEqual(new Set(ofBand.map(({ id }) => id)));
    expect(await rows({ filter: { familyName: 'worklist', sex: 'MALE', latestModelId: modelId } })).toHaveLength(3);
    const batch = await submit(client, { filter: { minimumLatestProbability: middle }, explain: false });
    expect((await ended(client, batch.id)).progress.total).toBe(4);
    await collected();
  });

  test.each([
    ['a probability above 1', { filter: { minimumLatestProbability: 1.5 } }, 'filter.minimumLatestProbability'],
    ['a model that there is not', { filter: { latestModelId: 'no-such-model' } }, 'filter.latestModelId'],
    ['a name that would reach another field', { filter: { latestModelId: '$where.x' } }, 'filter.latestModelId'],
  ])('refuses %s', async (_name, variables, path) => {
    const { errors } = await list(variables);
    expect(errors![0]!.extensions).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ path }] });
  });

  test('refuses a cursor of another order', async () => {
    const { data } = await list({ first: 1 });
    const after = data!.patients.pageInfo.endCursor;
    expect(codesOf(await list({ after, orderBy: { field: 'CREATED_AT' } }))).toEqual(['BAD_USER_INPUT']);
    expect(codesOf(await list({ after, orderBy: { ...highestFirst, direction: 'ASC' } }))).toEqual(['BAD_USER_INPUT']);
  });

  test('keeps quantities and probabilities apart', async () => {
    await models.patients.collection.updateOne(
      { _id: new Types.ObjectId(people[0]) },
      { $set: { [`latestResults.${modelId}.unit`]: 'd' } },
    );
    expect((await rows()).map(({ id }) => id)).not.toContain(people[0]);
    expect((await rows({ orderBy: { field: 'LATEST_QUANTITY' } })).map(({ id }) => id)).toEqual([people[0]]);
    await models.patients.collection.updateOne(
      { _id: new Types.ObjectId(people[0]) },
      { $unset: { [`latestResults.${modelId}.unit`]: 1 } },
    );
  });

  test('hides patients that are closed to the caller, and records its page by one event for each action', async () => {
    const { clinician } = careTeams(system);
    const [ada, bob] = await Promise.all([clinician('ada'), clinician('bob')]);
    await models.patients.updateOne({ _id: people[1] }, { $set: { careTeam: ['ada'] } });
    expect(await rows({}, ada)).toHaveLength(people.length);
    const before = await models.auditEvents.countDocuments({});
    expect((await rows({}, bob)).map(({ id }) => id)).not.toContain(people[1]);
    const events = await models.auditEvents.find({}).sort({ sequence: 1 }).skip(before).lean();
    expect(events.map(({ action }) => action)).toEqual(['patient:read', 'prediction:read']);
    for (const event of events) expect(event.patients).toHaveLength(people.length - 1);
    await models.patients.updateOne({ _id: people[1] }, { $unset: { careTeam: 1 } });
  });

  test('is for roles that read both patients and predictions', async () => {
    expect(await rows({}, await system.token('ANALYST'))).toHaveLength(people.length);
    for (const role of ['SERVICE', 'ADMIN'] as const)
      expect(new Set(codesOf(await list({}, await system.token(role))))).toEqual(new Set(['FORBIDDEN']));
  });
});

describe('a latest result', () => {
  test('is replaced by a newer one, and not by an older one that comes late', async () => {
    const { patientId, predictionId } = await scored(client);
    const first = await models.predictions.findById(predictionId).lean<Prediction>().orFail();
    const second = (await ended(client, (await submit(client, { patientId })).id)).prediction!.id;
    expect(predictionOfResult((await storedResult(patientId))!).toHexString()).toBe(second);
    await latestResults.keepMany([first]);
    expect(predictionOfResult((await storedResult(patientId))!).toHexString()).toBe(second);
    const batch = await submit(client, { patientIds: [patientId] });
    await ended(client, batch.id);
    await collected();
    const newest = (await storedResult(patientId))!;
    expect(newest.number).toBe(0);
    await latestResults.keepMany([first]);
    expect(await storedResult(patientId)).toEqual(newest);
  });

  test('is written again with a prediction whose worker died before it wrote the result', async () => {
    const { patientId, predictionId } = await scored(client);
    const kept = await storedResult(patientId);
    await models.patients.updateOne({ _id: patientId }, { $unset: { latestResults: 1 } });
    const prediction = await models.predictions.findById(predictionId).lean<Prediction>().orFail();
    await scoringRecords.storePrediction({ ...prediction, _id: new Types.ObjectId(), createdAt: new Date() });
    expect(await storedResult(patientId)).toEqual(kept);
  });

  test('of a batch is written by any worker, also when the one that stored the block has died', async () => {
    const patientIds = people.slice(0, 3);
    await ended(client, (await submit(client, { patientIds })).id);
    await collected();
    const newest = await Promise.all(patientIds.map(storedResult));
    // The death between the two writes: the block is stored with its mark, and the patients have nothing of it.
    await models.patients.updateMany({ _id: { $in: patientIds } }, { $unset: { latestResults: 1 } });
    await models.predictionBlocks.updateOne({ _id: newest[0]!.source }, { $set: { unlisted: true } });
    await collected();
    expect(await Promise.all(patientIds.map(storedResult))).toEqual(newest);
    expect(await models.predictionBlocks.countDocuments({ unlisted: true })).toBe(0);
  });

  test('neither changes the version of a patient, nor brings an erased one back', async () => {
    const { patientId, predictionId } = await scored(client);
    const { version, updatedAt, createdAt } = await models.patients.findById(patientId).lean().orFail();
    expect([version, updatedAt]).toEqual([1, createdAt]);
    const prediction = await models.predictions.findById(predictionId).lean<Prediction>().orFail();
    await system.post(`mutation { deletePatient(id: "${patientId}") { id } }`, undefined, token);
    // The number of the erased prediction stays in its place.
    await models.predictions.collection.replaceOne({ _id: prediction._id }, prediction as never, { upsert: true });
    await latestResults.keepMany([prediction]);
    expect(await models.patients.findById(patientId)).toBeNull();
    await models.predictions.deleteOne({ _id: prediction._id });
  });

  test('of any model is the newest one', () => {
    const result = (time: number): LatestResult => ({
      source: new Types.ObjectId(),
      value: 0.5,
      riskBand: 'LOW',
      modelVersion: '1.0.0',
      createdAt: new Date(time),
    });
    const results = { one: result(1), two: result(3), three: result(2) };
    expect(latestPredictionOf(results)).toBe(results.two.source);
    expect(latestPredictionOf(results, 'three')).toBe(results.three.source);
    expect(latestPredictionOf(results, 'three', '2.0.0')).toBeUndefined();
    expect(latestPredictionOf(undefined)).toBeUndefined();
  });
});

test('a deployment with several models asks which one, unless WORKLIST_MODEL names it', async () => {
  const manifests = ['cardiac', 'sepsis'].map((id) => ({ ...system.app.registry.manifests()[0]!, id }));
  const registry = { manifests: () => manifests, list: () => manifests.map((manifest) => ({ manifest }) as never) };
  const asked = createLatestConditions({ models, registry });
  const named = createLatestConditions({ models, registry, worklistModel: 'sepsis' });
  expect(worklistModelOf(registry, undefined)).toBeUndefined();
  expect(worklistModelOf(registry, 'sepsis')).toBe('sepsis');
  await expect(asked({ latestRiskBands: ['HIGH'] })).rejects.toThrow('must name one of the models: cardiac, sepsis');
  expect(Object.keys((await asked({ latestModelId: 'cardiac' })).condition)).toEqual(['latestResults.cardiac.value']);
  expect((await named({}, { latest: 'PROBABILITY', direction: -1 })).order!.field).toBe('latestResults.sepsis.value');
});

test('results of an earlier version are with the patients before a process serves', async () => {
  const before = await rows();
  await models.patients.updateMany({}, { $unset: { latestResults: 1 } });
  await models.repairs.deleteMany({});
  await Promise.all(
    [1, 2].map(() =>
      migrateData({ database: system.app.database, models, leaseMs: 10_000, logger: pino({ level: 'silent' }) }),
    ),
  );
  expect(await rows()).toEqual(before);
});
