/** Covers src/predictions/shared-reads.ts, src/predictions/prediction-stream.ts, src/jobs/visible-jobs.ts. */
// Threat: a reader opens so many subscriptions that each event is read, and recorded, thousands of times.

import { expect, test } from 'vitest';
import { careTeams } from '../support/care-team.js';
import { connectSocket, type RawSocket } from '../support/raw-socket.js';
import { ended, patient, scored, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem();
const client = await system.client('CLINICIAN');

/** Opens subscriptions on a new socket. Each of them is running when this resolves. */
async function follow(token: string, count: number, field = 'predictionCreated'): Promise<RawSocket> {
  const socket = await connectSocket(system.url, token);
  for (let id = 1; id <= count; id += 1)
    socket.send({
      type: 'subscribe',
      id: String(id),
      payload: { query: `subscription { ${field} { probability patient { id } } }` },
    });
  socket.send({ type: 'subscribe', id: 'marker', payload: { query: 'subscription { nothing }' } });
  expect(await socket.next()).toMatchObject({ id: 'marker' });
  return socket;
}

/** The events of the audit trail that say that predictions were read, by the user. */
async function readsOf(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const { auditEvents } = system.app.models;
  const before = await auditEvents.countDocuments();
  await work();
  const events = await auditEvents
    .find()
    .sort({ sequence: 1 })
    .skip(before)
    .lean<{ action: string; username: string }[]>();
  const counts: Record<string, number> = {};
  for (const { action, username } of events)
    if (action === 'prediction:read') counts[username] = (counts[username] ?? 0) + 1;
  return counts;
}

/** Takes the next events of a socket. */
async function take(socket: RawSocket, count: number): Promise<unknown[]> {
  const events: unknown[] = [];
  while (events.length < count) {
    const message = await socket.next();
    expect(message).toMatchObject({ type: 'next', payload: { data: { predictionCreated: expect.anything() } } });
    events.push(message.payload);
  }
  return events;
}

/** Number of queries that go to each collection of predictions while work is done. */
async function queriesDuring(work: () => Promise<unknown>, of = system): Promise<Record<string, number>> {
  const queries: Record<string, number> = {};
  const connection = of.app.models.predictions.db;
  connection.set('debug', (collection: string, method: string) => {
    if (/^(find|aggregate)/.test(method)) queries[collection] = (queries[collection] ?? 0) + 1;
  });
  try {
    await work();
    return queries;
  } finally {
    connection.set('debug', false);
  }
}

// Shows: 164.312(b), owasp/system-resources
test('an event is read once for all subscriptions, and recorded once for each user', async () => {
  const clinician = await follow(await system.token('CLINICIAN'), 60);
  const analyst = await follow(await system.token('ANALYST'), 40);
  const other = await follow(await system.token('CLINICIAN', 'beta'), 1);
  const { id: patientId } = await patient(client);
  let alone: Record<string, number> = {};
  const queries = await queriesDuring(async () => {
    alone = await readsOf(async () => {
      await submit(client, { patientId });
      await Promise.all([take(clinician, 60), take(analyst, 40)]);
    });
  });
  expect(alone).toEqual({ 'the-clinician': 1, 'the-analyst': 1 });
  // The worker and the API are in this process: both store and read, and look once more every five seconds.
  expect(queries.predictions).toBeLessThan(30);
  // The other organization got nothing.
  other.send({ type: 'subscribe', id: 'last', payload: { query: 'subscription { nothing }' } });
  expect(await other.next()).toMatchObject({ id: 'last' });
});

test('each user gets only what the fence admits, also from a shared read', async () => {
  const { id: patientId } = await patient(client, { careTeam: ['the-clinician'] });
  const outside = await system.app.accessTokens.sign(
    { username: 'outside', role: 'CLINICIAN' as never, organizationId: await system.organizationId() },
    3600,
  );
  const [inside, closed] = [await follow(await system.token('CLINICIAN'), 5), await follow(outside, 5)];
  await ended(client, (await submit(client, { patientId })).id);
  const { patientId: open } = await scored(client);
  const events = [await take(inside, 10), await take(closed, 5)].map((payloads) =>
    payloads.map(
      (payload) =>
        (payload as { data: { predictionCreated: { patient: { id: string } } } }).data.predictionCreated.patient.id,
    ),
  );
  expect(new Set(events[0])).toEqual(new Set([patientId, open]));
  expect(new Set(events[1])).toEqual(new Set([open]));
});

test('the predictions of a batch are read together, and recorded together', async () => {
  const patientIds: string[] = [];
  for (let index = 0; index < 30; index += 1) patientIds.push((await patient(client)).id);
  const analyst = await follow(await system.token('ANALYST'), 20);
  const reads = await readsOf(async () => {
    await submit(client, { patientIds });
    await take(analyst, 20 * 30);
  });
  expect(reads['the-analyst']).toBeLessThan(60);
});

/** Follows a job with many subscriptions of a new socket. Each of them has had its first event when this resolves. */
async function followJob(token: string, jobId: string, count: number, url: string): Promise<RawSocket> {
  const socket = await connectSocket(url, token);
  const query = `subscription { scoringJobUpdated(id: "${jobId}") { sequence job { state } } }`;
  for (let id = 1; id <= count; id += 1) socket.send({ type: 'subscribe', id: String(id), payload: { query } });
  for (let id = 1; id <= count; id += 1)
    expect(await socket.next()).toMatchObject({
      payload: { data: { scoringJobUpdated: { job: { state: 'QUEUED' } } } },
    });
  return socket;
}

async function takeCancelled(socket: RawSocket, count: number): Promise<void> {
  let cancelled = 0;
  for (let message = 0; message < 2 * count; message += 1) {
    const { type, payload } = await socket.next();
    if (type === 'complete') continue;
    expect(payload).toMatchObject({ data: { scoringJobUpdated: { job: { state: 'CANCELLED' } } } });
    cancelled += 1;
  }
  expect(cancelled).toBe(count);
}

// Shows: 164.312(b), owasp/system-resources
test('a change of a job is read once for all who follow it, and recorded once for each who breaks the glass', async () => {
  const waiting = await startSystem({ worker: false });
  const { clinician, breakGlass } = careTeams(waiting);
  const [anna, bob] = [await clinician('anna'), await clinician('bob')];
  const hers = await patient(await waiting.client('CLINICIAN'), { careTeam: ['anna', 'the-clinician'] });
  await breakGlass(`patientId: "${hers.id}"`, bob);
  const jobId = (
    await waiting.post<{ submitScoringJob: { id: string } }>(
      `mutation { submitScoringJob(input: { modelId: "heart-disease", patientId: "${hers.id}" }) { id } }`,
      undefined,
      anna,
    )
  ).data!.submitScoringJob.id;
  const sockets = [
    await followJob(anna, jobId, 60, waiting.url),
    await followJob(bob, jobId, 40, waiting.url),
    await followJob(await waiting.token('ANALYST'), jobId, 20, waiting.url),
  ];
  const { auditEvents } = waiting.app.models;
  const ofBob = { action: 'job:read', username: 'bob', flagged: true };
  const before = await auditEvents.countDocuments(ofBob);
  const queries = await queriesDuring(async () => {
    await waiting.post(`mutation { cancelScoringJob(id: "${jobId}") { id } }`, undefined, anna);
    await Promise.all(sockets.map((socket, index) => takeCancelled(socket, [60, 40, 20][index]!)));
  }, waiting);
  // The cancellation itself reads and changes the job a few times.
  expect(queries.scoring_jobs ?? 0).toBeLessThan(20);
  const recorded = (await auditEvents.countDocuments(ofBob)) - before;
  expect(recorded).toBeGreaterThan(0);
  expect(recorded).toBeLessThan(10);
});
