import { expect, onTestFinished, test } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Result } from '../../src/client/errors.js';
import { follow } from '../../src/client/follow.js';
import { createClient } from '../../src/client/graphql-client.js';
import { type PlacedSink, type Transport, Break } from '../../src/client/transport.js';

const numbered =
  'subscription ($id: ID!, $after: Int) { jobs: scoringJobUpdated(id: $id, after: $after) { sequence collapsed } }';
const event = (sequence: number, collapsed = 0, state?: string): Result => ({
  data: { jobs: { sequence, collapsed, ...(state && { job: { state } }) } },
});

/** A transport whose attempts a test plays itself. */
function playedTransport() {
  const attempts: { readonly after: unknown; readonly variables: unknown; readonly sink: PlacedSink }[] = [];
  let begun = (): void => undefined;
  const transport: Transport = {
    subscribe({ variables }, sink) {
      attempts.push({ after: variables?.after, variables, sink });
      begun();
      return () => undefined;
    },
    close: () => undefined,
  };
  const attempt = async (number: number): Promise<(typeof attempts)[number]> => {
    while (attempts.length < number) await new Promise<void>((resolve) => (begun = resolve));
    return attempts[number - 1]!;
  };
  return { transport, attempt, attempts };
}

/** Follows the played transport. */
function played(
  query = numbered,
  options: { attempts?: number; after?: number | string; operationName?: string } = {},
) {
  const { transport, attempt, attempts } = playedTransport();
  const seen: unknown[] = [];
  const stop = follow(
    { transport: () => transport, attempts: options.attempts ?? Infinity },
    { query, variables: { id: 'a', after: options.after }, operationName: options.operationName },
    {
      begun: (after) => after || seen.push('begun'),
      next: ({ data }) => seen.push((data as { jobs: object }).jobs),
      error: (error) => seen.push(error),
      complete: () => seen.push('complete'),
    },
  );
  onTestFinished(stop);
  return { attempt, attempts, seen };
}

test('an event that was seen before is dropped, and a gap is mended from the last event before it', async () => {
  const { attempt, seen } = played();
  const first = await attempt(1);
  expect(first.after).toBeUndefined();
  first.sink.next(event(3, 2));
  first.sink.next(event(3, 2));
  first.sink.next(event(2, 0));
  first.sink.next(event(6, 1));
  first.sink.next(event(7, 0));
  const second = await attempt(2);
  expect(second.after).toBe(3);
  second.sink.next(event(7, 3));
  second.sink.complete();
  expect(seen).toEqual([{ sequence: 3, collapsed: 2 }, { sequence: 7, collapsed: 3 }, 'complete']);
});

test('a subscription resumes behind the `after` of its caller', async () => {
  const { attempt } = played(numbered, { after: 5 });
  expect((await attempt(1)).after).toBe(5);
  (await attempt(1)).sink.error(new Break('cut', 1006, false));
  expect((await attempt(2)).after).toBe(5);
});

test('a subscription with cursors resumes behind the last one, and behind its beginning before the first event', async () => {
  const { attempt, seen } = played(
    'subscription ($after: String) { jobs: predictionCreated(after: $after) { cursor } }',
  );
  (await attempt(1)).sink.begun('start');
  (await attempt(1)).sink.error(new Break('cut', 1006, true));
  const second = await attempt(2);
  expect(second.after).toBe('start');
  second.sink.begun('start, written again');
  second.sink.next({ data: { jobs: { cursor: 'one' } } });
  second.sink.next({ data: { jobs: { cursor: 'two' } } });
  // An event that could not be made is asked for again.
  second.sink.next({ data: null, errors: [{ message: '', extensions: { code: 'SERVICE_UNAVAILABLE' } }] });
  const third = await attempt(3);
  expect(third.after).toBe('two');
  third.sink.error(new Break('cut', 1006, true));
  expect((await attempt(4)).after).toBe('two');
  expect(seen).toEqual([{ cursor: 'one' }, { cursor: 'two' }]);
});

test('a document that does not select the cursor begins with the present state after a break', async () => {
  const { attempt } = played('subscription ($after: String) { jobs: predictionCreated(after: $after) { id } }', {
    after: 'given',
  });
  expect((await attempt(1)).after).toBe('given');
  (await attempt(1)).sink.next({ data: { jobs: { id: 'a' } } });
  (await attempt(1)).sink.error(new Break('cut', 1006, true));
  expect((await attempt(2)).after).toBeUndefined();
});

test('without `$after` the present state comes again after a break, and is counted from the last event', async () => {
  const { attempt, seen } = played(
    'subscription ($id: ID!) { jobs: scoringJobUpdated(id: $id) { sequence collapsed } }',
  );
  (await attempt(1)).sink.next(event(2, 1));
  (await attempt(1)).sink.error(new Break('cut', 1006, true));
  (await attempt(2)).sink.next(event(2, 1));
  (await attempt(2)).sink.next(event(5, 4));
  expect(seen).toEqual([
    { sequence: 2, collapsed: 1 },
    { sequence: 5, collapsed: 2 },
  ]);
});

test.each([
  ['as it is', 'subscription { jobs: scoringJobsUpdated { id sequence collapsed } }'],
  [
    'in a fragment',
    'fragment F on Subscription { jobs: scoringJobsUpdated { sequence collapsed } } subscription { ...F }',
  ],
  [
    'in place',
    'subscription { # scoringJobUpdated\n ... on Subscription { jobs: scoringJobsUpdated { sequence collapsed } } }',
  ],
  [
    'after another operation',
    'query A { scoringJob(id: "{") { id } } subscription B { jobs: scoringJobsUpdated { sequence collapsed } }',
    'B',
  ],
])(
  'the sequence numbers of several jobs are not compared, with the field %s',
  async (_name, query, operationName?: string) => {
    const { attempt, seen } = played(query, { operationName });
    const { sink } = await attempt(1);
    sink.begun('');
    for (const [sequence, collapsed] of [
      [4, 3],
      [1, 0],
      [9, 1],
      [2, 0],
    ] as const)
      sink.next(event(sequence, collapsed));
    expect(seen).toEqual([
      'begun',
      ...[
        [4, 3],
        [1, 0],
        [9, 1],
        [2, 0],
      ].map(([sequence, collapsed]) => ({ sequence, collapsed })),
    ]);
  },
);

test('a list of jobs has no end, and its subscriber learns of each beginning', async () => {
  const { attempt, seen } = played('subscription { jobs: scoringJobsUpdated { sequence collapsed job { state } } }');
  (await attempt(1)).sink.begun('');
  (await attempt(1)).sink.next(event(4, 3, 'COMPLETED'));
  (await attempt(1)).sink.complete();
  (await attempt(2)).sink.error(new Break('cut', 1006, true));
  (await attempt(3)).sink.begun('');
  (await attempt(3)).sink.next(event(1, 0, 'ACTIVE'));
  expect(seen).toMatchObject(['begun', { sequence: 4 }, 'begun', { sequence: 1 }]);
});

test('`after` may have another variable, or a fixed value, and a nested `after` is left alone', async () => {
  const named = played(
    'subscription ($from: Int) { jobs: scoringJobUpdated(id: "a", after: $from) { sequence collapsed } }',
  );
  (await named.attempt(1)).sink.next(event(3, 2));
  (await named.attempt(1)).sink.error(new Break('cut', 1006, true));
  expect((await named.attempt(2)).variables).toEqual({ id: 'a', from: 3, after: undefined });
  const fixed = played('subscription { jobs: scoringJobUpdated(id: "a", after: 2) { sequence collapsed } }');
  (await fixed.attempt(1)).sink.next(event(3, 0));
  expect(fixed.seen).toEqual([{ sequence: 3, collapsed: 0 }]);
  const nested = played(
    'subscription ($after: String) { jobs: scoringJobUpdated(id: "a") { sequence collapsed job { predictions(after: $after) { totalCount } } } }',
    { after: 'mine' },
  );
  (await nested.attempt(1)).sink.next(event(3, 2));
  (await nested.attempt(1)).sink.error(new Break('cut', 1006, true));
  expect((await nested.attempt(2)).after).toBe('mine');
});

test('a completion before the end of the job is no end', async () => {
  const { attempt, seen } = played();
  (await attempt(1)).sink.next(event(1, 0, 'ACTIVE'));
  (await attempt(1)).sink.complete();
  (await attempt(2)).sink.next(event(2, 0, 'COMPLETED'));
  (await attempt(2)).sink.complete();
  expect(seen.at(-1)).toBe('complete');
  expect(seen).toHaveLength(3);
});

test.each([
  ['1001', new Break('', 1001, true), true],
  ['1006', new Break('', 1006, false), true],
  ['1013', new Break('', 1013, true), true],
  ['4408', new Break('', 4408, false), true],
  ['4500', new Break('', 4500, true), true],
  ['1009', new Break('', 1009, true), false],
  ['4400', new Break('', 4400, true), false],
  ['4429', new Break('', 4429, true), false],
])('after close code %s a subscription goes on, or ends when it would come again', async (_name, error, goesOn) => {
  const { attempt, attempts, seen } = played();
  (await attempt(1)).sink.error(error);
  if (goesOn) await attempt(2);
  else expect(seen).toEqual([error]);
  expect(attempts).toHaveLength(goesOn ? 2 : 1);
});

test('a second refusal of a token ends the subscription, but not after it was accepted in between', async () => {
  const { attempt, seen } = played();
  (await attempt(1)).sink.error(new Break('expired', 4403, true, 'one'));
  (await attempt(2)).sink.error(new Break('expired', 4403, true, 'two'));
  (await attempt(3)).sink.error(new Break('refused', 4403, false, 'three'));
  expect(seen).toMatchObject([{ code: 'UNAUTHENTICATED' }]);
});

test('a subscription fails after as many attempts as its caller allows', async () => {
  const { attempt, seen } = played(numbered, { attempts: 2 });
  for (const number of [1, 2, 3]) (await attempt(number)).sink.error(new Break(`cut ${number}`, 1006, false));
  expect(seen).toMatchObject([{ message: 'cut 3' }]);
});

test('an end within the last event leaves the socket to the other subscriptions', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => void server.close());
  let connections = 0;
  let sendToSecond = (_sequence: number): void => undefined;
  server.on('connection', (socket, request) => {
    connections += 1;
    const stream: Duplex = request.socket;
    const send = (message: object): void => socket.send(JSON.stringify(message));
    socket.on('message', (data) => {
      const { type, id, payload } = JSON.parse((data as Buffer).toString()) as {
        type: string;
        id: string;
        payload?: { variables?: { id: string } };
      };
      if (type === 'connection_init') send({ type: 'connection_ack' });
      if (type !== 'subscribe') return;
      if (payload!.variables!.id === 'second') {
        sendToSecond = (sequence) => send({ type: 'next', id, payload: event(sequence) });
        return sendToSecond(1);
      }
      // Both messages arrive in one read.
      stream.cork();
      send({ type: 'next', id, payload: event(1, 0, 'COMPLETED') });
      send({ type: 'complete', id });
      stream.uncork();
    });
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = createClient({ url: `http://127.0.0.1:${port}`, token: 'x', webSocket: WebSocket });
  onTestFinished(() => client.close());
  const second: unknown[] = [];
  client.observe(
    { query: numbered, variables: { id: 'second' } },
    { next: (result) => second.push(result), error: (error) => second.push(error), complete: () => second.push('end') },
  );
  await expect.poll(() => second).toHaveLength(1);
  for (let round = 0; round < 3; round += 1) {
    await new Promise<void>((resolve) => {
      const stop = client.observe(
        { query: numbered, variables: { id: 'first' } },
        {
          next() {
            stop();
            resolve();
          },
          error: () => undefined,
          complete: () => undefined,
        },
      );
    });
    sendToSecond(round + 2);
    await expect.poll(() => second).toHaveLength(round + 2);
  }
  expect(connections).toBe(1);
  expect(second).toEqual([1, 2, 3, 4].map((sequence) => event(sequence)));
});
