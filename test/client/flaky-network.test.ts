import { expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { ScoringJobUpdatedDocument } from '../../src/client/generated/graphql.js';
import { createClient, type ClientOptions, type GraphqlClient } from '../../src/client/graphql-client.js';
import type { JobEvent } from '../../src/client/submit.js';
import { startApiProcess } from '../support/api-process.js';
import { changingJob, ruleBreaks } from '../support/changing-job.js';
import { startFlakyProxy } from '../support/flaky-proxy.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });

/** A client that ends with the test. */
async function clientOf(url: string, options: Partial<ClientOptions> = {}): Promise<GraphqlClient> {
  const client = createClient({ url, webSocket: WebSocket, token: await system.token('CLINICIAN'), ...options });
  onTestFinished(() => client.close());
  return client;
}

/** Makes a change as soon as the client has seen the one before it, and at last completes the job. */
async function followChanges(client: GraphqlClient, changes: number): Promise<JobEvent[]> {
  const job = await changingJob(system);
  const events: JobEvent[] = [];
  let wanted = 0;
  for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id: job.id })) {
    events.push(scoringJobUpdated);
    if (scoringJobUpdated.sequence < wanted) continue;
    if (events.length < changes) wanted = await job.advance();
    else await job.complete();
  }
  return events;
}

function expectComplete(events: readonly JobEvent[]): void {
  expect(ruleBreaks(events)).toEqual([]);
  expect(events.at(-1)!.job.state).toBe('COMPLETED');
  expect(new Set(events.map(({ sequence }) => sequence)).size).toBe(events.length);
}

test.each([
  ['a WebSocket', {}],
  ['server-sent events', { webSocket: false }],
])('over %s that is cut again and again, a client misses nothing and gets nothing twice', async (_name, options) => {
  const network = await startFlakyProxy(system.url, { seed: 7, fates: ['cut', 'reset'], bytes: [400, 6000] });
  const breaks: Error[] = [];
  const client = await clientOf(network.url, { ...options, onBreak: (error) => breaks.push(error) });
  const events = await followChanges(client, 120);
  expectComplete(events);
  expect(network.broken).toBeGreaterThan(15);
  expect(breaks.length).toBeGreaterThan(10);
});

test('a connection on which nothing arrives any more is given up, and another one resumes', async () => {
  const network = await startFlakyProxy(system.url, { seed: 3, fates: ['silence'], bytes: [900, 3000] });
  const client = await clientOf(network.url, { keepAliveMs: 300 });
  expectComplete(await followChanges(client, 10));
  expect(network.broken).toBeGreaterThan(2);
});

test('a token that ends in the middle is replaced on the open socket', async () => {
  const given: string[] = [];
  let sockets = 0;
  class Counted extends WebSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol);
      sockets += 1;
    }
  }
  // The client asks at three quarters of each token's life. The last quarter is long enough for a busy machine.
  const token = async (): Promise<string> => {
    given.push(await system.token('CLINICIAN', 'alpha', 10));
    return given.at(-1)!;
  };
  const client = await clientOf(system.url, { webSocket: Counted, token });
  const job = await changingJob(system);
  const events: JobEvent[] = [];
  for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id: job.id })) {
    events.push(scoringJobUpdated);
    if (scoringJobUpdated.job.state === 'COMPLETED') break;
    await expect.poll(() => given.length).toBeGreaterThan(events.length);
    // The third token comes when the first one has ended.
    if (events.length < 2) await job.advance();
    else await job.complete();
  }
  expectComplete(events);
  expect(sockets).toBe(1);
});

test('a token that has ended without a successor in time is replaced with the next connection', async () => {
  const refused: (string | undefined)[] = [];
  const first = await system.token('CLINICIAN', 'alpha', 3);
  const second = await system.token('CLINICIAN');
  const token = (ended?: string): string => {
    refused.push(ended);
    return ended ? second : first;
  };
  const client = await clientOf(system.url, { token: (ended) => (refused.some(Boolean) ? second : token(ended)) });
  const job = await changingJob(system);
  const events: JobEvent[] = [];
  for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id: job.id })) {
    events.push(scoringJobUpdated);
    if (events.length > 1) continue;
    await expect.poll(() => refused).toContain(first);
    await job.complete();
  }
  expectComplete(events);
});

test('a server that is killed and started again continues every subscription', async () => {
  const { mongoUri, redisUrl, redisPrefix } = system.app.config;
  const databases = { MONGO_URI: mongoUri!, REDIS_URL: redisUrl!, REDIS_PREFIX: redisPrefix };
  const api = await startApiProcess({ environment: databases });
  const client = await clientOf(api.url);
  const jobs = await Promise.all(Array.from({ length: 5 }, () => changingJob(system)));
  const seen = jobs.map((): JobEvent[] => []);
  const following = jobs.map(async ({ id }, index) => {
    for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id }))
      seen[index]!.push(scoringJobUpdated);
  });
  await expect.poll(() => seen.every((events) => events.length === 1)).toBe(true);
  process.kill(api.pid, 'SIGKILL');
  await Promise.all(jobs.map((job) => job.advance()));
  await startApiProcess({ environment: { ...databases, PORT: new URL(api.url).port } });
  await Promise.all(jobs.map((job) => job.complete()));
  await Promise.all(following);
  seen.forEach(expectComplete);
  // Two processes start.
}, 240_000);

test.each([
  ['refuses', 'refuse'],
  ['never answers', 'forget'],
] as const)(
  'behind a proxy that %s WebSockets the client follows over HTTP, also when it is cut',
  async (_name, upgrades) => {
    const network = await startFlakyProxy(system.url, {
      seed: 5,
      fates: ['cut', 'reset'],
      bytes: [1500, 6000],
      upgrades,
    });
    const breaks: string[] = [];
    const client = await clientOf(network.url, { onBreak: ({ message }) => breaks.push(message) });
    expectComplete(await followChanges(client, 40));
    expect(breaks[0]).toMatch(/WebSocket/);
    expect(breaks.filter((message) => message.includes('stream of events')).length).toBeGreaterThan(1);
    expect(breaks.filter((message) => message.includes('WebSocket'))).toHaveLength(1);
  },
);
