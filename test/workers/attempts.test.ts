import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { startApi } from '../../src/api.js';
import { createApp, shippedModelsDirectory } from '../../src/app.js';
import { RetryScoringJobDocument } from '../../src/client/generated/graphql.js';
import { startWorkers } from '../../workers/index.js';
import { heartDisease, modelId } from '../support/heart-disease.js';
import { ended, followed, patient, scored, submit } from '../support/scenario.js';
import { postBody, startSystem } from '../support/system.js';

const attempts = 3;
const system = await startSystem({
  worker: false,
  environment: { JOB_ATTEMPTS: String(attempts), JOB_RETRY_DELAY_MS: '10', RECONCILE_INTERVAL_MS: '200' },
});
const token = await system.token('CLINICIAN');
const client = await system.client('CLINICIAN');
/** A directory with a later version of the shipped model, but not with the version that the jobs name. */
const laterVersion = await mkdtemp(join(tmpdir(), 'riskgraph-test-'));
afterAll(() => rm(laterVersion, { recursive: true, force: true }));
await cp(join(shippedModelsDirectory(), modelId), join(laterVersion, modelId), { recursive: true });
await writeFile(join(laterVersion, modelId, 'manifest.json'), JSON.stringify({ ...heartDisease, version: '99.0.0' }));

interface SeenJob {
  readonly id: string;
  readonly state: string;
  readonly attempts: number;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly failures: readonly { readonly code: string }[];
}

async function submitOne(kind: 'single' | 'batch'): Promise<string> {
  const { id } = await patient(client);
  return (await submit(client, kind === 'single' ? { patientId: id } : { patientIds: [id] })).id;
}

async function look(id: string): Promise<SeenJob> {
  const { data } = await system.post<{ scoringJob: SeenJob }>(
    /* GraphQL */ `
      query ($id: ID!) {
        scoringJob(id: $id) {
          id
          state
          attempts
          error {
            code
            message
          }
          failures(first: 10) {
            code
            message
          }
        }
      }
    `,
    { id },
    token,
  );
  return data!.scoringJob;
}

/** Lists every state that a subscriber sees, with the attempts until then and the code of the last error. */
async function changesOf(id: string): Promise<[string, number, string | undefined][]> {
  const changes: [string, number, string | undefined][] = [];
  for (const { job } of await followed(client, id)) {
    if (job.state !== changes.at(-1)?.[0]) changes.push([job.state, job.attempts, job.error?.code]);
  }
  return changes;
}

const expectEnd = async (id: string, state: string): Promise<void> =>
  expect((await ended(client, id)).state).toBe(state);

/** Runs `work` while a worker runs, which serves the models of this directory. */
async function withWorker<T>(riskModelsDirectory: string | undefined, work: () => Promise<T>): Promise<T> {
  const app = await createApp({ ...system.app.config, riskModelsDirectory }, system.app.logger);
  const workers = await startWorkers(app);
  try {
    return await work();
  } finally {
    await workers.close();
    await app.close();
  }
}

describe('a temporary error', () => {
  test('is shown and tried again up to the limit, then ends the job, and a retry runs it again', async () => {
    const id = await submitOne('single');
    const seen = changesOf(id);
    await withWorker(laterVersion, () => expectEnd(id, 'FAILED'));
    expect(await seen).toEqual([
      ['QUEUED', 0, undefined],
      ['ACTIVE', 1, undefined],
      ['QUEUED', 1, 'NOT_FOUND'],
      ['ACTIVE', 2, 'NOT_FOUND'],
      ['QUEUED', 2, 'NOT_FOUND'],
      ['ACTIVE', 3, 'NOT_FOUND'],
      ['FAILED', 3, 'NOT_FOUND'],
    ]);
    const failed = await look(id);
    expect(failed).toMatchObject({ attempts, error: { code: 'NOT_FOUND', message: expect.stringContaining(modelId) } });
    const { data } = await system.post(
      '{ scoringJobs(filter: { states: [FAILED] }) { edges { node { id } } } }',
      undefined,
      token,
    );
    expect(data).toMatchObject({ scoringJobs: { edges: expect.arrayContaining([{ node: { id } }]) } });

    const revived = await system.post(
      `mutation { retryScoringJob(id: "${id}") { state error { code } finishedAt } }`,
      undefined,
      token,
    );
    expect(revived.data).toEqual({ retryScoringJob: { state: 'QUEUED', error: null, finishedAt: null } });
    await withWorker(undefined, () => expectEnd(id, 'COMPLETED'));
    // Earlier attempts stay counted, but the limit is per run.
    expect(await look(id)).toMatchObject({ attempts: attempts + 1, error: null });
  });

  test('in a batch fails all patients, and so the batch, which a retry runs again', async () => {
    const id = await submitOne('batch');
    await withWorker(laterVersion, () => expectEnd(id, 'FAILED'));
    expect(await look(id)).toMatchObject({
      failures: [{ code: 'NOT_FOUND' }],
      error: {
        code: 'NOT_FOUND',
        message: expect.stringMatching(/None of the 1 patients could be scored.*no longer there/) as string,
      },
    });
    const revived = await system.post(
      `mutation { retryScoringJob(id: "${id}") { state error { code } progress { processed failed } } }`,
      undefined,
      token,
    );
    expect(revived.data).toEqual({
      retryScoringJob: { state: 'QUEUED', error: null, progress: { processed: 0, failed: 0 } },
    });
    await withWorker(undefined, () => expectEnd(id, 'COMPLETED'));
    expect(await look(id)).toMatchObject({ failures: [], error: null });
  });

  test('that all patients of a batch have is mended for all of them before a retry', async () => {
    const id = await submitOne('batch');
    const { patients } = system.app.models;
    const before = await patients.find({}, { features: 1 }).lean();
    await patients.collection.updateMany({}, { $set: { features: [] } });
    await withWorker(undefined, () => expectEnd(id, 'FAILED'));
    // Callers who may not see a patient read this error, so the values stay among the failures.
    expect(await look(id)).toMatchObject({
      error: {
        code: 'BAD_USER_INPUT',
        message: 'None of the 1 patients could be scored. "failures" gives the reason of each one.',
      },
      failures: [{ message: expect.stringContaining('is required') as string }],
    });
    for (const { _id, features } of before) await patients.collection.updateOne({ _id }, { $set: { features } });
    await client.request(RetryScoringJobDocument, { id });
    await withWorker(undefined, () => expectEnd(id, 'COMPLETED'));
    expect(await look(id)).toMatchObject({ failures: [], error: null });
  });
});

test('the pages of history stay when a model version is removed, without model and explanation', async () => {
  const { patientId, jobId, predictionId } = await withWorker(undefined, () => scored(client));
  const history = /* GraphQL */ `
    fragment Scored on Prediction {
      id
      modelId
      modelVersion
      probability
      model {
        id
      }
      explanation {
        baseValue
      }
    }
    query ($job: ID!, $patient: ID!) {
      scoringJob(id: $job) {
        modelId
        modelVersion
        state
        model {
          id
        }
        predictions {
          edges {
            node {
              ...Scored
            }
          }
        }
      }
      predictions(filter: { patientId: $patient }) {
        edges {
          node {
            ...Scored
          }
        }
      }
    }
  `;
  const app = await createApp({ ...system.app.config, riskModelsDirectory: laterVersion }, system.app.logger);
  const server = await startApi(app);
  onTestFinished(async () => {
    await server.close();
    await app.close();
  });
  const body = JSON.stringify({ query: history, variables: { job: jobId, patient: patientId } });
  const { data, errors } = await postBody<object>(server.url, body, token);
  const named = { modelId, modelVersion: heartDisease.version, model: null };
  const prediction = { ...named, id: predictionId, probability: expect.any(Number) as number, explanation: null };
  expect(data).toEqual({
    scoringJob: { ...named, state: 'COMPLETED', predictions: { edges: [{ node: prediction }] } },
    predictions: { edges: [{ node: prediction }] },
  });
  expect(errors?.map(({ path, message }) => [path?.at(-1), message])).toEqual(
    Array(2).fill(['explanation', expect.stringMatching(/no longer there exactly as it was/)]),
  );
});

describe('a permanent error', () => {
  test('ends the job at the first attempt', async () => {
    const id = await submitOne('single');
    // Submission refuses such a patient, so this patient loses its features after submission.
    await system.app.models.patients.collection.updateMany({}, { $set: { features: [] } });
    await withWorker(undefined, () => expectEnd(id, 'FAILED'));
    expect(await look(id)).toMatchObject({ attempts: 1, error: { code: 'BAD_USER_INPUT' } });
  });
});
