import { performance } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { createFairTurns, type OperationKind } from '../../src/http/fair-turns.js';

/** Longer than a user may run before the next one. */
const longMs = 1.5;
/** Longer than all fields may run in one turn of the event loop. */
const sliceMs = 10;

function work(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

type Turns = ReturnType<typeof createFairTurns>;

/** Uses up the time of this turn of the event loop, so that all that ask now have to wait. */
function fillSlice(turns: Turns): void {
  expect(turns.wait({ kind: 'answer', organization: 'filler', user: 'filler' })).toBeUndefined();
  work(sliceMs);
}

/** Runs fields one after the other, as the levels of a deep operation do. */
async function runFields(
  turns: Turns,
  { kind = 'answer', organization = 'a', user }: { kind?: OperationKind; organization?: string; user: string },
  { fields, each }: { fields: number; each: () => void },
): Promise<void> {
  for (let field = 0; field < fields; field += 1) {
    await turns.wait({ kind, organization, user });
    each();
  }
}

test('however many events wait, every other turn is for an answer', async () => {
  const turns = createFairTurns();
  fillSlice(turns);
  let events = 0;
  let ended = false;
  const screens = Array.from({ length: 40 }, async (_, index) => {
    while (!ended)
      await runFields(
        turns,
        { kind: 'event', user: `screen-${index}` },
        {
          fields: 1,
          each: () => {
            events += 1;
            work(longMs);
          },
        },
      );
  });
  await runFields(turns, { user: 'reader' }, { fields: 10, each: () => work(longMs) });
  const meanwhile = events;
  ended = true;
  await Promise.all(screens);
  expect(meanwhile).toBeGreaterThan(5);
  expect(meanwhile).toBeLessThanOrEqual(11);
});

test('users take turns, whatever the number of operations of each', async () => {
  const turns = createFairTurns();
  fillSlice(turns);
  const order: string[] = [];
  const one = (user: string): Promise<void> =>
    runFields(
      turns,
      { user },
      {
        fields: 1,
        each: () => {
          order.push(user);
          work(longMs);
        },
      },
    );
  await Promise.all([...Array.from({ length: 12 }, () => one('many')), one('few'), one('few')]);
  expect(order.slice(0, 4)).toEqual(['many', 'few', 'many', 'few']);
});

test('organizations take turns, whatever the number of users of each', async () => {
  const turns = createFairTurns();
  fillSlice(turns);
  const order: string[] = [];
  const one = (organization: string, user: string): Promise<void> =>
    runFields(
      turns,
      { organization, user },
      {
        fields: 1,
        each: () => {
          order.push(organization);
          work(longMs);
        },
      },
    );
  await Promise.all([
    ...Array.from({ length: 12 }, (_, index) => one('large', `${index}`)),
    one('small', 'x'),
    one('small', 'y'),
  ]);
  expect(order.slice(0, 4)).toEqual(['large', 'small', 'large', 'small']);
});

test('the cheap fields of a list run together, so that they read their rows in one query', async () => {
  const turns = createFairTurns();
  fillSlice(turns);
  const order: string[] = [];
  const list = (user: string): Promise<void>[] =>
    Array.from({ length: 30 }, () => runFields(turns, { user }, { fields: 1, each: () => order.push(user) }));
  await Promise.all([...list('a'), ...list('b')]);
  const changes = order.filter((user, index) => index > 0 && user !== order[index - 1]).length;
  expect(changes).toBeLessThan(10);
});

test('a deep operation goes on through its levels in one turn', async () => {
  const turns = createFairTurns();
  fillSlice(turns);
  let others = 0;
  let ended = false;
  const crowd = Array.from({ length: 40 }, async (_, index) => {
    while (!ended)
      await runFields(
        turns,
        { user: `other-${index}` },
        {
          fields: 1,
          each: () => {
            others += 1;
            work(longMs);
          },
        },
      );
  });
  await runFields(turns, { user: 'deep' }, { fields: 10, each: () => undefined });
  const meanwhile = others;
  ended = true;
  await Promise.all(crowd);
  // Without that, each of its ten levels would wait for all 40.
  expect(meanwhile).toBeLessThan(120);
});
