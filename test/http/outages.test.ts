import { expect, onTestFinished, test } from 'vitest';
import { ScoringJobUpdatedDocument } from '../../src/client/generated/graphql.js';
import { startEngines } from '../../src/embedded/engines.js';
import { modelId } from '../support/heart-disease.js';
import { connectSocket } from '../support/raw-socket.js';
import { patient, submit } from '../support/scenario.js';
import { codesOf, startSystem } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

test('without Redis the API is unhealthy but ready, and still accepts jobs', async () => {
  const engines = await startEngines({ dataDirectory: await temporaryDirectory(), mongoUri: 'mongodb://unused' });
  onTestFinished(() => engines.stop());
  const system = await startSystem({ worker: false, environment: { REDIS_URL: engines.redisUrl } });
  const client = await system.client('CLINICIAN');
  const created = await patient(client);

  await engines.stop();
  // Answers are remembered for a second.
  await expect
    .poll(async () => (await fetch(`${system.url}/health`)).json())
    .toMatchObject({
      status: 'down',
      dependencies: { mongodb: 'up', redis: 'down', riskModels: 'up' },
      reasons: { redis: 'Redis does not answer: check that it runs and can be reached.' },
    });
  expect((await fetch(`${system.url}/health/ready`)).status).toBe(200);
  expect((await fetch(`${system.url}/health/live`)).status).toBe(200);

  const job = await submit(client, { patientId: created.id });
  expect(job.state).toBe('QUEUED');
  const snapshot = await client.subscribe(ScoringJobUpdatedDocument, { id: job.id }).next();
  expect(snapshot.value).toMatchObject({ scoringJobUpdated: { sequence: 1, job: { state: 'QUEUED' } } });
});

// Shows: owasp/application-timeout
test('without MongoDB the API is neither healthy nor ready, and says SERVICE_UNAVAILABLE', async () => {
  const engines = await startEngines({ dataDirectory: await temporaryDirectory(), redisUrl: 'redis://unused' });
  onTestFinished(() => engines.stop());
  const system = await startSystem({ worker: false, environment: { MONGO_URI: engines.mongoUri } });
  const token = await system.token('CLINICIAN');

  await engines.stop();
  // Answers are remembered for a second.
  await expect
    .poll(async () => (await fetch(`${system.url}/health`)).json())
    .toMatchObject({
      status: 'down',
      dependencies: { mongodb: 'down', redis: 'up', riskModels: 'up', workers: 'down' },
      reasons: { mongodb: 'MongoDB does not answer: check that it runs and can be reached.' },
    });
  expect((await fetch(`${system.url}/health`)).status).toBe(503);
  expect((await fetch(`${system.url}/health/ready`)).status).toBe(503);
  expect((await fetch(`${system.url}/health/live`)).status).toBe(200);

  const operations = [
    '{ patients { totalCount } }',
    'mutation { createPatient(input: { mrn: "Canary-4711" }) { id } }',
    `mutation { submitScoringJob(input: { patientId: "aaaaaaaaaaaaaaaaaaaaaaaa", modelId: "${modelId}" }) { id } }`,
  ];
  const answers = await Promise.all(operations.map((operation) => system.post(operation, undefined, token)));
  for (const answer of answers) {
    expect(codesOf(answer)).toEqual(['SERVICE_UNAVAILABLE']);
    expect(answer.text).not.toContain('Canary');
  }
  const socket = await connectSocket(system.url, token);
  socket.send({
    type: 'subscribe',
    id: '1',
    payload: { query: 'subscription { scoringJobUpdated(id: "aaaaaaaaaaaaaaaaaaaaaaaa") { sequence } }' },
  });
  expect(await socket.next()).toMatchObject({
    type: 'error',
    payload: [{ extensions: { code: 'SERVICE_UNAVAILABLE' } }],
  });
});

// Shows: owasp/application-timeout
test('a MongoDB that accepts connections but does not answer blocks no caller and no scrape, and serves again later', async () => {
  const engines = await startEngines({ dataDirectory: await temporaryDirectory(), redisUrl: 'redis://unused' });
  onTestFinished(() => engines.stop());
  const system = await startSystem({ worker: false, environment: { MONGO_URI: engines.mongoUri } });
  const token = await system.token('CLINICIAN');
  const codes = async () => codesOf(await system.post('{ patients { totalCount } }', undefined, token));
  expect(await codes()).toEqual([]);

  const metrics = async () => (await fetch(`${system.url}/metrics`)).text();
  const counts = /^riskgraph_open_scoring_jobs\{state="QUEUED"\} 0$/m;
  await expect.poll(metrics).toMatch(counts);

  const { mongodb } = engines.pids();
  process.kill(mongodb!, 'SIGSTOP');
  onTestFinished(() => void process.kill(mongodb!, 'SIGCONT'));
  expect(await codes()).toEqual(['SERVICE_UNAVAILABLE']);
  // The counts of before, with their age.
  expect(await metrics()).toMatch(counts);
  process.kill(mongodb!, 'SIGCONT');
  await expect.poll(codes).toEqual([]);
});
