import { EventSource } from 'eventsource';
import { createClient as createSseClient } from 'graphql-sse';
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { Client as UrqlClient, fetchExchange } from '@urql/core';
import { expect, onTestFinished, test } from 'vitest';
import { startApi } from '../../src/api.js';
import { changingJob, ruleBreaks } from '../support/changing-job.js';
import { startFlakyProxy } from '../support/flaky-proxy.js';
import { createUser, login } from '../support/identity.js';
import { startSystem } from '../support/system.js';
import { multipartAccept } from '../support/transports.js';

const system = await startSystem({ worker: false });
const endpoint = `${system.url}/graphql`;
const token = await system.token('CLINICIAN');
const query =
  'subscription ($id: ID!, $after: Int) { scoringJobUpdated(id: $id, after: $after) { sequence collapsed job { state } } }';

interface Event {
  readonly sequence: number;
  readonly collapsed: number;
  readonly job: { readonly state: string };
}
interface Data {
  readonly scoringJobUpdated: Event;
}

/** Opens a stream without a library. It ends with the test. */
async function openStream(
  options: {
    readonly accept?: string;
    readonly token?: string;
    readonly query?: string;
    readonly variables?: object;
    readonly headers?: Record<string, string>;
  } = {},
): Promise<{ response: Response; next(pattern: RegExp): Promise<string>; rest(): Promise<string> }> {
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      accept: options.accept ?? 'text/event-stream',
      'content-type': 'application/json',
      ...(options.token && { authorization: `Bearer ${options.token}` }),
      ...options.headers,
    },
    body: JSON.stringify({ query: options.query ?? query, variables: options.variables }),
    signal: controller.signal,
  });
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  let text = '';
  const more = async (): Promise<boolean> => {
    const { done, value } = await reader.read();
    text += decoder.decode(value, { stream: true });
    return !done;
  };
  return {
    response,
    async next(pattern) {
      while (!pattern.test(text)) if (!(await more())) throw new Error(`the stream ended: ${text}`);
      return text;
    },
    async rest() {
      while (await more());
      return text;
    },
  };
}

/** Number of subscriptions that the API serves, by its own metric. */
async function runningSubscriptions(): Promise<number> {
  const text = await (await fetch(`${system.url}/metrics`)).text();
  return [...text.matchAll(/^riskgraph_subscriptions\{[^}]*\} (\d+)/gm)].reduce(
    (total, [, count]) => total + Number(count),
    0,
  );
}

test.each([false, true, 'force'] as const)(
  'urql without an exchange of ours reads and changes, and its subscriptions are streams (preferGetMethod %s)',
  async (preferGetMethod) => {
    const client = new UrqlClient({
      url: endpoint,
      preferGetMethod,
      exchanges: [fetchExchange],
      fetchSubscriptions: true,
      fetchOptions: { headers: { authorization: `Bearer ${token}` } },
    });
    const read = await client.query('{ viewer { username } }', {}).toPromise();
    expect(read.error).toBeUndefined();
    expect(read.data).toHaveProperty('viewer.username');
    const refused = await client.query('{ viewer { unknown } }', {}).toPromise();
    expect(refused.error?.message).toContain('unknown');
    const changed = await client.mutation('mutation { cancelScoringJob(id: "000000000000000000000000") { id } }', {});
    expect(changed.error?.graphQLErrors[0]?.extensions.code).toBe('NOT_FOUND');
    const { id, complete } = await changingJob(system);
    const ended = new Promise<string>((resolve, reject) => {
      client.subscription<Data>(query, { id }).subscribe(({ data, error }) => {
        if (error) reject(error);
        if (data?.scoringJobUpdated.job.state !== 'ACTIVE') resolve(data?.scoringJobUpdated.job.state ?? '');
      });
    });
    await complete();
    expect(await ended).toBe('COMPLETED');
  },
);

test('the client of graphql-sse follows a job to its end', async () => {
  const job = await changingJob(system);
  const client = createSseClient({ url: endpoint, headers: { authorization: `Bearer ${token}` }, retryAttempts: 0 });
  onTestFinished(() => client.dispose());
  const events: Event[] = [];
  for await (const { data } of client.iterate<Data & Record<string, unknown>>({ query, variables: { id: job.id } })) {
    events.push(data!.scoringJobUpdated);
    if (events.length < 5) await job.advance();
    else await job.complete();
  }
  expect(events.map(({ sequence }) => sequence)).toEqual([2, 3, 4, 5, 6, 7]);
  expect(events.at(-1)!.job.state).toBe('COMPLETED');
  await expect.poll(runningSubscriptions).toBe(0);
});

test('Apollo Client follows a job to its end over its multipart protocol, and queries as before', async () => {
  const job = await changingJob(system);
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: new HttpLink({ uri: endpoint, headers: { authorization: `Bearer ${token}` } }),
  });
  onTestFinished(() => client.stop());
  const events: Event[] = [];
  await new Promise<void>((resolve, reject) => {
    client.subscribe<Data>({ query: gql(query), variables: { id: job.id } }).subscribe({
      next({ data, error }) {
        if (error) return reject(error);
        events.push(data!.scoringJobUpdated);
        (events.length < 5 ? job.advance() : job.complete()).catch(reject);
      },
      error: reject,
      complete: resolve,
    });
  });
  expect(events.map(({ sequence }) => sequence)).toEqual([2, 3, 4, 5, 6, 7]);
  const { data } = await client.query<{ viewer: { username: string } }>({ query: gql('{ viewer { username } }') });
  expect(data!.viewer.username).toBe('the-clinician');
  await expect.poll(runningSubscriptions).toBe(0);
});

test('an EventSource resumes behind the last event that it has seen', async () => {
  const job = await changingJob(system);
  // Each connection brings the headers and a few events.
  const network = await startFlakyProxy(system.url, { seed: 2, fates: ['cut'], bytes: [700, 900] });
  const parameters = new URLSearchParams({ query, variables: JSON.stringify({ id: job.id }) });
  const asked: (string | undefined)[] = [];
  const source = new EventSource(`${network.url}/graphql?${parameters.toString()}`, {
    fetch(url, options) {
      const headers = options.headers as Record<string, string>;
      asked.push(headers['Last-Event-ID']);
      return fetch(url, { ...options, headers: { ...headers, authorization: `Bearer ${token}` } } as RequestInit);
    },
  });
  onTestFinished(() => source.close());
  const events: Event[] = [];
  await new Promise<void>((resolve) => {
    source.addEventListener('next', ({ data }: { data: string }) => {
      events.push((JSON.parse(data) as { data: Data }).data.scoringJobUpdated);
      if (asked.length === 3) network.calm();
      void (events.length < 12 ? job.advance() : job.complete());
    });
    source.addEventListener('complete', () => {
      source.close();
      resolve();
    });
  });
  expect(ruleBreaks(events)).toEqual([]);
  expect(events.at(-1)!.job.state).toBe('COMPLETED');
  expect(network.broken).toBeGreaterThan(1);
  expect(asked[0]).toBeUndefined();
  expect(events.map(({ sequence }) => String(sequence))).toContain(asked.at(-1));
});

test.each([
  ['server-sent events', 'text/event-stream', 'text/event-stream; charset=utf-8'],
  ['multipart', multipartAccept, 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"'],
])('%s have the headers that keep proxies from holding events back', async (_name, accept, contentType) => {
  const job = await changingJob(system);
  const { response, next } = await openStream({ accept, token, variables: { id: job.id } });
  await next(/"sequence":2/);
  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': contentType,
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
  });
});

test.each([
  ['server-sent events', 'text/event-stream', /"code":"UNAUTHENTICATED".*\n\nevent: complete\ndata: \n\n$/s],
  ['multipart', multipartAccept, /\{"payload":null,"errors":\[.*"UNAUTHENTICATED".*--graphql--\r\n$/s],
])('%s end when their token expires or is revoked, and say so', async (_name, accept, end) => {
  const job = await changingJob(system);
  const variables = { id: job.id };
  const expiring = await openStream({ accept, variables, token: await system.token('CLINICIAN', 'alpha', 4) });
  expect(await expiring.rest()).toMatch(end);
  const session = await login(system, await createUser(system));
  const revoked = await openStream({ accept, variables, token: session.accessToken });
  await revoked.next(/"sequence":2/);
  await system.post('mutation ($input: LogoutInput!) { logout(input: $input) { ended } }', {
    input: { refreshToken: session.refreshToken },
  });
  const text = await revoked.rest();
  expect(text).toMatch(end);
  expect(text).toContain('revoked');
  await expect.poll(runningSubscriptions).toBe(0);
});

test.each<[string, object, string]>([
  ['no token', { variables: { id: 'aaaaaaaaaaaaaaaaaaaaaaaa' } }, 'UNAUTHENTICATED'],
  ['a token that is not valid', { token: 'a.b.c', variables: { id: 'aaaaaaaaaaaaaaaaaaaaaaaa' } }, 'UNAUTHENTICATED'],
  ['a job that does not exist', { token, variables: { id: 'aaaaaaaaaaaaaaaaaaaaaaaa' } }, 'NOT_FOUND'],
  ['no variables', { token }, 'BAD_USER_INPUT'],
  ['variables that are a list', { token, variables: [1] }, 'BAD_USER_INPUT'],
  ['no GraphQL', { token, query: 'subscription {' }, 'BAD_USER_INPUT'],
  ['a query', { token, query: '{ viewer { username } }' }, 'BAD_USER_INPUT'],
  ['a mutation', { token, query: 'mutation { deletePatient(id: "a") { id } }' }, 'BAD_USER_INPUT'],
  [
    'a Last-Event-ID that is none',
    { token, variables: { id: 'aaaaaaaaaaaaaaaaaaaaaaaa' }, headers: { 'last-event-id': 'x' } },
    'BAD_USER_INPUT',
  ],
])('server-sent events for %s are one error of the contract, and the end', async (_name, options, code) => {
  const { response, rest } = await openStream(options);
  expect(response.status).toBe(200);
  const [, json = ''] = /^event: next\ndata: (.*)\n\nevent: complete\ndata: \n\n$/.exec(await rest()) ?? [];
  expect(JSON.parse(json)).toMatchObject({ errors: [{ extensions: { code } }] });
  expect(await runningSubscriptions()).toBe(0);
});

test('a server that stops ends its streams without a completion', async () => {
  const { mongoUri, redisUrl, redisPrefix } = system.app.config;
  const other = await startSystem({
    worker: false,
    environment: { MONGO_URI: mongoUri!, REDIS_URL: redisUrl!, REDIS_PREFIX: redisPrefix },
  });
  const job = await changingJob(system);
  const server = await startApi(other.app);
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables: { id: job.id } }),
  });
  const text = response.text().catch((error: Error) => error.message);
  await expect.poll(() => runningOf(server.url)).toBe(1);
  await server.close();
  expect(await text).not.toContain('complete');
});

async function runningOf(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^riskgraph_subscriptions\{kind="scoringJobUpdated"\} (\d+)/m.exec(text)?.[1]);
}
