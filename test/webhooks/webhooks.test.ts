import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Types } from 'mongoose';
import { Webhook } from 'standardwebhooks';
import { expect, onTestFinished, test } from 'vitest';
import { emptyOutbox } from '../../src/webhooks/outbox.js';
import { startWorkers } from '../../workers/index.js';
import { ended, patient, scored, submit } from '../support/scenario.js';
import { codesOf, startSystem, type System } from '../support/system.js';

const environment = {
  WEBHOOK_ALLOWED_HOSTS: 'localhost',
  WEBHOOK_RETRY_SECONDS: '1,1',
  // Longer than a busy machine may take: an attempt that ends too early is repeated, and counted.
  WEBHOOK_TIMEOUT_SECONDS: '30',
  RECONCILE_INTERVAL_MS: '200',
};
const system = await startSystem({ environment });

interface Received {
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** A receiver of this machine. `answers` are the statuses of its next answers; then it answers 204. */
async function receiver(...answers: number[]): Promise<{ readonly url: string; readonly received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      received.push({ headers: request.headers as Record<string, string>, body });
      response.writeHead(answers.shift() ?? 204).end();
    });
  });
  await new Promise<void>((listening) => server.listen(0, 'localhost', listening));
  onTestFinished(() => void server.close());
  return { url: `http://localhost:${(server.address() as AddressInfo).port}/hook`, received };
}

interface Endpoint {
  readonly id: string;
  readonly secret: string;
}

/** Runs an operation as SERVICE. @throws Error when it is refused */
async function ask<T>(query: string, variables: object, slug: string, on: System = system): Promise<T> {
  const { data, errors } = await on.post<T>(query, variables, await on.token('SERVICE', slug));
  if (errors || !data) throw new Error(JSON.stringify(errors));
  return data;
}

/** Creates an endpoint in an organization of its own. */
async function endpointAt(url: string, slug: string, on: System = system): Promise<Endpoint> {
  const { createWebhookEndpoint: made } = await ask<{
    createWebhookEndpoint: { secret: string; endpoint: { id: string } };
  }>(
    'mutation ($url: String!) { createWebhookEndpoint(input: {url: $url}) { secret endpoint { id } } }',
    { url },
    slug,
    on,
  );
  return { id: made.endpoint.id, secret: made.secret };
}

interface Delivery {
  readonly id: string;
  readonly jobId: string;
  readonly state: string;
  readonly attempts: number;
  readonly responseStatus: number | null;
  readonly failure: string | null;
}

async function deliveriesOf(endpointId: string, slug: string): Promise<Delivery[]> {
  const { webhookDeliveries } = await ask<{ webhookDeliveries: { edges: { node: Delivery }[] } }>(
    `query ($id: ID!) { webhookDeliveries(filter: {endpointId: $id}) {
      edges { node { id jobId state attempts responseStatus failure } } } }`,
    { id: endpointId },
    slug,
  );
  return webhookDeliveries.edges.map(({ node }) => node);
}

const verify = (secret: string, { headers, body }: Received): unknown => new Webhook(secret).verify(body, headers);

test('the end of a job is told once, with ids alone, under a signature that the library of Standard Webhooks accepts', async () => {
  const { url, received } = await receiver();
  const { id, secret } = await endpointAt(url, 'told');
  const { jobId } = await scored(await system.client('CLINICIAN', 'told'));
  await expect.poll(() => received.length).toBe(1);
  const job = (await system.app.models.scoringJobs.findById(jobId))!;
  expect(verify(secret, received[0]!)).toEqual({
    type: 'scoring_job.completed',
    timestamp: job.status.finishedAt!.toISOString(),
    data: {
      organizationId: await system.organizationId('told'),
      jobId,
      kind: 'SINGLE',
      state: 'COMPLETED',
      sequence: job.status.sequence,
    },
  });
  expect(received[0]!.headers['content-type']).toBe('application/json');
  const [delivery] = await deliveriesOf(id, 'told');
  expect(delivery).toMatchObject({ id: received[0]!.headers['webhook-id'], jobId, attempts: 1 });
  await expect
    .poll(() => deliveriesOf(id, 'told'))
    .toMatchObject([{ state: 'DELIVERED', responseStatus: 204, failure: null }]);
  expect((await system.app.models.scoringJobs.findById(jobId))!.webhookDue).toBeUndefined();
  // Another look finds nothing new.
  await emptyOutbox(system.app.models);
  expect(await deliveriesOf(id, 'told')).toHaveLength(1);
});

test('a failed attempt is repeated with the same id and body, and its own timestamp', async () => {
  const { url, received } = await receiver(500, 503);
  const { id, secret } = await endpointAt(url, 'repeated');
  await scored(await system.client('CLINICIAN', 'repeated'));
  await expect
    .poll(() => deliveriesOf(id, 'repeated'))
    .toMatchObject([{ state: 'DELIVERED', attempts: 3, responseStatus: 204 }]);
  expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect(new Set(received.map(({ body }) => body)).size).toBe(1);
  for (const message of received) verify(secret, message);
  const { webhookEndpoints } = system.app.models;
  await expect.poll(async () => (await webhookEndpoints.findById(id))!.failingSince).toBeUndefined();
});

test('after the last attempt a delivery is FAILED, and a replay sends it again under the same id', async () => {
  const { url, received } = await receiver(500, 500, 302);
  const { id } = await endpointAt(url, 'replayed');
  await scored(await system.client('CLINICIAN', 'replayed'));
  await expect
    .poll(() => deliveriesOf(id, 'replayed'))
    .toMatchObject([{ state: 'FAILED', attempts: 3, responseStatus: 302, failure: 'STATUS' }]);
  const [failed] = await deliveriesOf(id, 'replayed');
  const replay = 'mutation ($id: ID!) { replayWebhookDelivery(id: $id) { state attempts } }';
  expect(await ask(replay, { id: failed!.id }, 'replayed')).toEqual({
    replayWebhookDelivery: { state: 'PENDING', attempts: 0 },
  });
  await expect.poll(() => deliveriesOf(id, 'replayed')).toMatchObject([{ state: 'DELIVERED', attempts: 1 }]);
  expect(received).toHaveLength(4);
  expect(received[3]!.headers['webhook-id']).toBe(failed!.id);
  const other = await system.post(replay, { id: failed!.id }, await system.token('SERVICE', 'other'));
  expect(codesOf(other)).toEqual(['NOT_FOUND']);
});

test('after a rotation both secrets sign for a time, or only the new one', async () => {
  const { url, received } = await receiver();
  const { id, secret } = await endpointAt(url, 'rotated');
  const client = await system.client('CLINICIAN', 'rotated');
  const rotate = async (overlapHours?: number): Promise<string> => {
    const { rotateWebhookSecret: made } = await ask<{ rotateWebhookSecret: { secret: string } }>(
      'mutation ($input: RotateWebhookSecretInput!) { rotateWebhookSecret(input: $input) { secret } }',
      { input: { id, overlapHours } },
      'rotated',
    );
    return made.secret;
  };
  const second = await rotate();
  await scored(client);
  await expect.poll(() => received.length).toBe(1);
  for (const valid of [secret, second]) verify(valid, received[0]!);
  const third = await rotate(0);
  await scored(client);
  await expect.poll(() => received.length).toBe(2);
  verify(third, received[1]!);
  for (const ended of [secret, second]) expect(() => verify(ended, received[1]!)).toThrow();
});

test('an endpoint that fails for days, or is gone, is disabled with a flag, and can be enabled again', async () => {
  const { url, received } = await receiver(500, 410);
  const { id } = await endpointAt(url, 'disabled');
  const client = await system.client('CLINICIAN', 'disabled');
  const shown = async () =>
    (
      await ask<{ webhookEndpoints: { edges: { node: object }[] } }>(
        '{ webhookEndpoints { edges { node { id disabledAt disabledReason failingSince } } } }',
        {},
        'disabled',
      )
    ).webhookEndpoints.edges[0]!.node;
  const days = 6 * 86_400_000;
  await system.app.models.webhookEndpoints.updateOne({ _id: id }, { failingSince: new Date(Date.now() - days) });
  await scored(client);
  await expect.poll(shown).toMatchObject({ disabledAt: expect.any(String), disabledReason: 'FAILING' });
  await expect.poll(() => deliveriesOf(id, 'disabled')).toMatchObject([{ state: 'FAILED', failure: 'DISABLED' }]);
  await scored(client);
  expect(await deliveriesOf(id, 'disabled')).toHaveLength(1);

  await ask('mutation ($id: ID!) { enableWebhookEndpoint(id: $id) { disabledAt } }', { id }, 'disabled');
  expect(await shown()).toMatchObject({ disabledAt: null, disabledReason: null, failingSince: null });
  await scored(client);
  await expect.poll(shown).toMatchObject({ disabledReason: 'GONE' });
  expect(received).toHaveLength(2);

  const { data } = await system.post<{ auditEvents: { edges: { node: object }[] } }>(
    `{ auditEvents(filter: { actions: ["webhook:disable"] }) {
      edges { node { username role outcome flagged patientIds subject { kind id } } }
    } }`,
    {},
    await system.token('ADMIN', 'disabled'),
  );
  const event = {
    username: 'worker',
    role: null,
    outcome: 'ALLOWED',
    flagged: true,
    patientIds: [],
    subject: { kind: 'WEBHOOK_ENDPOINT', id },
  };
  expect(data!.auditEvents.edges.map(({ node }) => node)).toEqual([event, event]);
});

test('a delivery survives the death of every process and of Redis after the end of the job', async () => {
  const api = await startSystem({ worker: false, environment });
  const { url, received } = await receiver();
  const { id, secret } = await endpointAt(url, 'survived', api);
  await expect.poll(() => api.app.models.webhookEndpoints.countDocuments()).toBe(1);
  const client = await api.client('CLINICIAN', 'survived');
  const { id: patientId } = await patient(client);
  // The API ends a queued job itself, and no worker lives that could know of it.
  const jobs: string[] = [];
  const cancel = 'mutation ($id: ID!) { cancelScoringJob(id: $id) { state } }';
  for (let count = 0; count < 3; count += 1) {
    const job = await submit(client, { patientId });
    await ask(cancel, { id: job.id }, 'survived', api);
    jobs.push(job.id);
  }
  const redis = api.app.connectRedis('waiting');
  onTestFinished(() => redis.disconnect());
  const keys = await redis.keys(`${api.app.config.redisPrefix}*`);
  if (keys.length > 0) await redis.del(keys);
  // A worker that died in the middle of an attempt left a lease behind, and its entry is lost with Redis.
  await emptyOutbox(api.app.models);
  await api.app.models.webhookDeliveries.updateOne(
    { job: new Types.ObjectId(jobs[0]) },
    { $set: { leaseUntil: new Date(Date.now() - 1), attempts: 1 } },
  );
  const workers = await startWorkers(api.app);
  onTestFinished(() => workers.close());
  await expect.poll(() => received.length).toBe(3);
  const told = received.map((message) => verify(secret, message) as { type: string; data: { jobId: string } });
  expect(told.map(({ data }) => data.jobId).toSorted()).toEqual(jobs.toSorted());
  expect(new Set(told.map(({ type }) => type))).toEqual(new Set(['scoring_job.cancelled']));
  expect(await api.app.models.webhookDeliveries.countDocuments({ endpoint: new Types.ObjectId(id) })).toBe(3);
});

test('a job that ended in a process that did not know of the new endpoint yet is found later', async () => {
  const { url, received } = await receiver();
  const client = await system.client('CLINICIAN', 'unknown');
  const { id } = await endpointAt(url, 'unknown');
  const { webhookEndpoints, scoringJobs } = system.app.models;
  const { jobId } = await scored(client);
  await expect.poll(() => received.length).toBe(1);
  // As it stands when the process that ended the job did not mark it.
  await system.app.models.webhookDeliveries.deleteMany({ job: new Types.ObjectId(jobId) });
  await scoringJobs.updateOne({ _id: jobId }, { $unset: { webhookDue: '' } });
  await webhookEndpoints.updateOne({ _id: id }, { catchUpAt: new Date(Date.now() - 1) });
  await expect.poll(() => received.length).toBe(2);
  expect((await webhookEndpoints.findById(id))!.catchUpAt).toBeUndefined();
});

test('an organization has at most ten endpoints, also when many are created at the same time', async () => {
  const made = await Promise.allSettled(
    Array.from({ length: 14 }, (_unused, at) => endpointAt(`https://care.example.org/${at}`, 'many')),
  );
  expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
  const { reason } = made.find((one) => one.status === 'rejected')!;
  expect(String(reason)).toContain('at most 10 webhook endpoints');
  const organization = new Types.ObjectId(await system.organizationId('many'));
  const stored = JSON.stringify(await system.app.models.webhookEndpoints.find({ organization }).lean());
  // Address and secret are sealed, and each creation is on record.
  for (const word of ['whsec_', 'care.example.org']) expect(stored).not.toContain(word);
  expect(
    await system.app.models.auditEvents.countDocuments({ organization, action: 'webhook:manage' }),
  ).toBeGreaterThan(9);
});

test('a deleted endpoint is told nothing more, and its log is gone', async () => {
  const { url, received } = await receiver();
  const { id } = await endpointAt(url, 'deleted');
  const client = await system.client('CLINICIAN', 'deleted');
  await ask('mutation ($id: ID!) { deleteWebhookEndpoint(id: $id) { id } }', { id }, 'deleted');
  const { id: patientId } = await patient(client);
  await ended(client, (await submit(client, { patientId })).id);
  await emptyOutbox(system.app.models);
  expect(await deliveriesOf(id, 'deleted')).toEqual([]);
  expect(received).toEqual([]);
});
