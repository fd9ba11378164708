import { execute, GraphQLInt, GraphQLList, GraphQLObjectType, GraphQLSchema, parse } from 'graphql';
import { expect, test } from 'vitest';
import { createAnswerBytes } from '../../src/http/answer-bytes.js';
import { eventText, writeAnswer } from '../../src/http/answer-text.js';
import { createCostBudget } from '../../src/http/cost-budget.js';
import { interruptible } from '../../src/http/interruptible.js';
import { createOperations, type Operation } from '../../src/http/operations.js';
import { createWrittenEvents } from '../../src/http/written-events.js';
import { QueryTooComplexError, RateLimitedError, ServiceUnavailableError } from '../../src/errors.js';

const limits = {
  perUser: 2,
  costPerUser: 100,
  answerBytes: 1_000,
  eventBytes: 500,
  waitingPerUser: 1_000,
  waitingPerNode: 1_500,
};
const caller = (username: string, organizationId = 'alpha') => ({
  viewer: { username, organizationId },
  origin: { address: '192.0.2.1' },
});

const prepare = (operations = createOperations(limits), username = 'anna'): Operation =>
  operations.prepare(caller(username), 'answer');

test('operations of one user are limited by number and by cost, and free their place at their end', () => {
  const operations = createOperations(limits);
  const [first, second, third] = [prepare(operations), prepare(operations), prepare(operations)];
  first.start(40);
  second.start(40);
  expect(() => third.start(1)).toThrow(/^This user has 2 operations under way on this server, which is the limit/);
  prepare(operations, 'berta').start(40);
  second.end();
  second.end();
  expect(() => third.start(61)).toThrow(/cost 40, and the limit is 100: send fewer at a time/);
  expect(() => third.start(61)).toThrow(RateLimitedError);
  third.start(60);
});

test('an event waits for room, in place of being refused', async () => {
  const operations = createOperations(limits);
  const query = prepare(operations);
  query.start(90);
  const events = [1, 2].map(() => operations.prepare(caller('anna'), 'event'));
  const begun: number[] = [];
  const begin = events.map((event, index) => event.startWhenFree(90).then(() => begun.push(index)));
  await new Promise((resolve) => setImmediate(resolve));
  expect(begun).toEqual([]);
  query.end();
  await begin[0];
  expect(begun).toEqual([0]);
  events[0]!.end();
  await begin[1];
  expect(begun).toEqual([0, 1]);
});

test('an operation above every limit still runs when it is alone', () => {
  expect(() => prepare().start(1_000)).not.toThrow();
});

/** A list of objects whose only field counts how often it was resolved. */
function listOf(length: number, resolved: (index: number) => void) {
  const item = new GraphQLObjectType({
    name: 'Item',
    fields: { number: { type: GraphQLInt, resolve: (index: number) => index } },
  });
  const holder = new GraphQLObjectType({
    name: 'Holder',
    fields: {
      item: {
        type: item,
        resolve: (index: number) => {
          resolved(index);
          return index;
        },
      },
    },
  });
  const query = new GraphQLObjectType({
    name: 'Query',
    fields: { list: { type: new GraphQLList(holder), resolve: () => Array.from({ length }, (_, index) => index) } },
  });
  const schema = interruptible(new GraphQLSchema({ query }));
  return (operation: Operation) =>
    execute({ schema, document: parse('{ list { item { number } } }'), contextValue: { operation } });
}

/** Keeps the event loop busy. */
function work(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}

test('a broken-off operation resolves no further fields', async () => {
  const resolved: number[] = [];
  const run = listOf(500, (index) => {
    work(1);
    resolved.push(index);
    if (index === 40) operation.breakOff(new ServiceUnavailableError('too late'));
  });
  const operation = prepare(createOperations({ ...limits, costPerUser: 1e6 }));
  const result = await run(operation);
  expect(resolved).toHaveLength(41);
  expect(result.errors![0]!.originalError).toBe(operation.reason);
});

test('a long operation gives way to a short one of another organization, and so do many of one user', async () => {
  const operations = createOperations(limits);
  let done = 0;
  const long = [1, 2, 3].map(async () =>
    listOf(100, () => {
      work(1);
      done += 1;
    })(operations.prepare(caller('anna'), 'answer')),
  );
  await new Promise((resolve) => setImmediate(resolve));
  const short = listOf(5, () => undefined)(operations.prepare(caller('zoe', 'beta'), 'answer'));
  await short;
  expect(done).toBeLessThan(150);
  await Promise.all(long);
  expect(done).toBe(300);
});

test('an answer is written as JSON.stringify writes it', async () => {
  const operation = prepare(createOperations({ ...limits, answerBytes: 1e6 }));
  operation.start(10_000);
  const answer = {
    errors: undefined,
    data: {
      empty: [],
      none: {},
      lists: [[1, 2], [], [{ a: null }, 'é"\\', true]],
      at: new Date(0),
      nested: { deep: { deeper: [{ x: 1.5 }] } },
    },
  };
  expect(await writeAnswer(answer, operation)).toBe(`${JSON.stringify(answer)}\n`);
  expect(await writeAnswer({ data: null }, operation)).toBe('{"data":null}\n');
});

test('a long answer is written in chunks, so that no step works on all of it', async () => {
  const operation = prepare(createOperations({ ...limits, answerBytes: 1e7, waitingPerNode: 1e7, costPerUser: 1e6 }));
  operation.start(10_000);
  const row = { text: '−é'.repeat(5_000) };
  const answer = { data: { rows: Array.from({ length: 100 }, () => ({ row })) } };
  const chunks = await writeAnswer(answer, operation);
  if (typeof chunks === 'string') throw new Error('the answer is one text');
  expect(Buffer.concat(chunks).toString()).toBe(`${JSON.stringify(answer)}\n`);
  // A chunk ends with the piece that fills it.
  const largest = 3 * (64 * 1024 + 10_050);
  expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThan(largest);
  expect(chunks.length).toBeGreaterThan(10);
});

test('an answer ends as soon as it is longer than an answer may be', async () => {
  const operation = prepare();
  operation.start(10_000);
  let read = 0;
  const row = {
    get text() {
      read += 1;
      return 'x'.repeat(90);
    },
  };
  const rows = Array.from({ length: 10_000 }, () => ({ row }));
  await expect(writeAnswer({ rows }, operation)).rejects.toThrow(/^The answer has more than 1000 bytes/);
  expect(operation.reason).toBeInstanceOf(QueryTooComplexError);
  // Ten rows are more than an answer may have.
  expect(read).toBeLessThan(100);
  expect(() => operation.check()).toThrow(operation.reason);
});

test('values that were made count before the answer is written, and all answers of a process count together', () => {
  const operations = createOperations(limits);
  const operation = prepare(operations);
  operation.made(900);
  expect(() => operation.made(200)).toThrow(/more than 1000 bytes/);
  const other = prepare(operations, 'berta');
  expect(() => other.made(700)).toThrow(/^The answers of this server would have more than 1500 bytes together/);
  operation.end();
  prepare(operations, 'carla').made(900);
  expect(() => operations.prepare(caller('dora'), 'event').made(501)).toThrow(/^One event has more than 500 bytes/);
});

test('answers that a client does not read are cut off: the oldest of the user, or of the user with most bytes', () => {
  const cut: string[] = [];
  const bytes = createAnswerBytes(limits);
  const wait = (user: string, size: number, name: string) => bytes.wait(user, size, () => cut.push(name));
  wait('anna', 400, 'a1');
  const read = wait('anna', 400, 'a2');
  wait('anna', 400, 'a3');
  expect(cut).toEqual(['a1']);
  read();
  read();
  wait('anna', 400, 'a4');
  expect(cut).toEqual(['a1']);
  wait('berta', 500, 'b1');
  wait('carla', 300, 'c1');
  expect(cut).toEqual(['a1', 'a3']);
});

test('a budget is taken in portions, and is spent exactly', async () => {
  const taken: number[] = [];
  let left = 10_000;
  const charge = createCostBudget(10_000, async (_key, points) => {
    taken.push(points);
    left -= points;
    if (left < 0) throw new RateLimitedError('too much', 7);
    return 60_000;
  });
  const charged = await Promise.allSettled(Array.from({ length: 1_100 }, () => charge('anna', 10)));
  expect(charged.filter(({ status }) => status === 'fulfilled')).toHaveLength(1_000);
  expect(taken.slice(0, 100)).toEqual(Array.from({ length: 100 }, () => 100));
});

test('the data of a large event are written once, and the message is the same as if it were written in one step', async () => {
  const operation = prepare(createOperations({ ...limits, answerBytes: 1e6, waitingPerNode: 1e6, costPerUser: 1e6 }));
  operation.start(5_000);
  let writes = 0;
  const value = {
    toJSON() {
      writes += 1;
      return 'value';
    },
  };
  // Values of other classes write themselves.
  const data = { list: [{ value: Object.setPrototypeOf(value, Date.prototype) as object, text: 'a"}}b' }] };
  const written = createWrittenEvents();
  written.keep(data, (await eventText(data, operation))!);
  const message = (payload: unknown): string => JSON.stringify({ id: '"}}', type: 'next', payload });
  const sent = written.insert(message({ errors: [], data: written.standIn(data) }));
  expect(writes).toBe(1);
  expect(sent).toBe(message({ errors: [], data }));
  // The next message has no stand-in.
  expect(written.insert('{"type":"pong"}')).toBe('{"type":"pong"}');
  expect(written.standIn({ other: 1 })).toBeUndefined();
});
