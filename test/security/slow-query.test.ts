/** Covers src/storage/database.ts, src/http/operation-timeout.ts. */
// Threat: a query that does not end keeps MongoDB and a process busy.

import { describe, expect, onTestFinished, test } from 'vitest';
import { buildBareSchema } from '../../schema/build-schema.js';
import { createApp } from '../../src/app.js';
import { isReadTimeout } from '../../src/storage/database.js';
import { startEngines } from '../../src/embedded/engines.js';
import { createErrorFormatter } from '../../src/http/error-format.js';
import { createLogger } from '../../src/process/logger.js';
import { startWorkers } from '../../workers/index.js';
import { modelId, newPatient } from '../support/heart-disease.js';
import { everyCall } from '../support/operations.js';
import { connectSocket } from '../support/raw-socket.js';
import { ended, patient, submit } from '../support/scenario.js';
import { codesOf, startSystem, type System } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/**
 * Scores one patient alone, and in a batch together with one that cannot be scored. The worker is closed after that.
 * @returns ids of all objects
 */
async function scoreTwo(system: System): Promise<string[]> {
  const client = await system.client('CLINICIAN');
  const created = await patient(client);
  await patient(client, { features: [] });
  const single = await submit(client, { patientId: created.id });
  const batch = await submit(client, { all: true });
  const app = await createApp(system.app.config, system.app.logger);
  const workers = await startWorkers(app);
  await ended(client, batch.id);
  const predictionId = (await ended(client, single.id)).prediction!.id;
  await workers.close();
  await app.close();
  return [created.id, single.id, batch.id, predictionId];
}

describe('a read that never ends', () => {
  // Shows: owasp/application-timeout
  test('is ended by MongoDB, whichever query causes it', async () => {
    const system = await startSystem({ worker: false });
    const tokens = await Promise.all((['CLINICIAN', 'ADMIN', 'ANALYST'] as const).map((role) => system.token(role)));
    // One object of each kind, so that the fields below it are read too.
    const found = await scoreTwo(system);
    const candidates = (_path: string, type: string) => (type === 'ID' ? found : type === 'String' ? ['nobody'] : []);
    const calls = everyCall(buildBareSchema(system.app), candidates, 4).filter(({ kind }) => kind === 'query');
    const endless: string[] = [];
    const collections = new Set<string>();
    // Authentication reads only one document, by its id or its unique name.
    const { patients, predictions, predictionBlocks, scoringJobs, scoringChunks, auditEvents, breakGlassAccesses } =
      system.app.models;
    const ofCallers = [
      patients,
      predictions,
      predictionBlocks,
      scoringJobs,
      scoringChunks,
      auditEvents,
      breakGlassAccesses,
    ].map((model) => model.collection.name);
    system.app.database.set(
      'debug',
      (collection: string, method: string, _filter: unknown, options?: { maxTimeMS?: number }) => {
        if (!/^(find$|findOne$|aggregate|count)/.test(method) || !ofCallers.includes(collection)) return;
        collections.add(collection);
        if (!options?.maxTimeMS) endless.push(`${collection}.${method}`);
      },
    );
    for (const { operation, variables } of calls)
      await Promise.all(tokens.map((token) => system.post(operation, variables, token)));

    expect([...collections].sort()).toEqual(ofCallers.sort());
    expect(endless).toEqual([]);
  });

  // Shows: owasp/application-timeout
  test('is reported as a timeout with advice, and without the values of the query', async () => {
    const { app, organizationId } = await startSystem({ worker: false });
    await organizationId();
    const million = { $range: [0, 1_000_000] };
    const numbers = { $reduce: { input: million, initialValue: 0, in: { $add: ['$$value', '$$this'] } } };
    const stages = [
      { $limit: 1 },
      { $project: { mrn: 'Quince', many: million } },
      { $unwind: '$many' },
      { $match: { $expr: { $lt: [numbers, 0] } } },
    ];
    const given = await app.models.organizations.collection
      .aggregate(stages, { maxTimeMS: 1 })
      .toArray()
      .then(
        () => undefined,
        (error: unknown) => error,
      );

    expect(isReadTimeout(given)).toBe(true);
    const told = createErrorFormatter(createLogger('silent', 'test'))(given);
    expect(told).toMatchObject({
      message: 'The database took too long to find this: ask for less at once, or try again when it is less busy.',
      extensions: { code: 'SERVICE_UNAVAILABLE' },
    });
  });
});

// Shows: owasp/application-timeout
test('an operation that does not end is answered in time, a mutation with a warning, and others go on', async () => {
  const engines = await startEngines({ dataDirectory: await temporaryDirectory(), redisUrl: 'redis://unused' });
  onTestFinished(() => engines.stop());
  const system = await startSystem({
    worker: false,
    environment: { MONGO_URI: engines.mongoUri, OPERATION_TIMEOUT_SECONDS: '2' },
  });
  const token = await system.token('CLINICIAN');
  const { mrn, ...rest } = newPatient();
  const count = () => system.post('{ patients { totalCount } }', {}, token);
  const create = () =>
    system.post(
      'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id } }',
      { input: { mrn, ...rest } },
      token,
    );
  // On a busy machine the first operation of a process may take longer than the limit.
  await expect.poll(async () => (await count()).data).toEqual({ patients: { totalCount: 0 } });
  const socket = await connectSocket(system.url, token);

  const { mongodb } = engines.pids();
  process.kill(mongodb!, 'SIGSTOP');
  onTestFinished(() => void process.kill(mongodb!, 'SIGCONT'));
  const answers = await Promise.all([count(), create()]);
  for (const { status, text } of answers) {
    expect(status).toBe(503);
    expect(JSON.parse(text)).toMatchObject({
      errors: [
        {
          message:
            'The operation took longer than 2 s, which is the limit: ask for less at once. A mutation may still take ' +
            'effect: check before you repeat it.',
          extensions: { code: 'SERVICE_UNAVAILABLE' },
        },
      ],
    });
  }
  process.kill(mongodb!, 'SIGCONT');
  await expect.poll(async () => (await count()).data).toEqual({ patients: { totalCount: 1 } });
  await expect.poll(async () => codesOf(await create())).toEqual(['CONFLICT']);

  // The subscription has been open for longer than an operation may take.
  const { data } = await system.post(
    `mutation ($input: SubmitScoringJobInput!) { submitScoringJob(input: $input) { id } }`,
    { input: { modelId, patientId: await idOf(mrn) } },
    token,
  );
  const { id } = (data as { submitScoringJob: { id: string } }).submitScoringJob;
  socket.send({
    type: 'subscribe',
    id: '1',
    payload: { query: `subscription { scoringJobUpdated(id: "${id}") { job { state } } }` },
  });
  expect(await socket.next()).toMatchObject({
    type: 'next',
    payload: { data: { scoringJobUpdated: { job: { state: 'QUEUED' } } } },
  });

  async function idOf(number: string): Promise<string> {
    const answer = await system.post<{ patient: { id: string } }>(
      'query ($mrn: String!) { patient(mrn: $mrn) { id } }',
      { mrn: number },
      token,
    );
    return answer.data!.patient.id;
  }
});
