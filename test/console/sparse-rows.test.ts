import { expect, onTestFinished, test } from 'vitest';
import { createSparseRows, type Place, type RowReader, type SparseRows } from '../../web/pages/worklist/sparse-rows.js';

/** A connection over numbers. A test changes the list, counts its requests, and breaks it. */
function numbersUpTo(length: number) {
  const list = Array.from({ length }, (_, index) => index);
  const requests: Place[] = [];
  let failure: Error | undefined;
  const slice = (place: Place): number[] => {
    requests.push(place);
    if (failure) throw failure;
    const behind = place.after === undefined ? 0 : list.indexOf(Number(place.after)) + 1;
    const before = place.before === undefined ? list.length : list.indexOf(Number(place.before));
    return place.last === undefined
      ? list.slice(behind, behind + place.first!)
      : list.slice(Math.max(0, before - place.last), before);
  };
  const reader: RowReader<number> = {
    async rows(place, counted) {
      const rows = slice(place).map((number) => ({ cursor: String(number), node: number }));
      return { rows, total: counted ? list.length : undefined };
    },
    async ends(place) {
      const rows = slice(place).map(String);
      return { start: rows.at(0), end: rows.at(-1) };
    },
  };
  return { list, requests, reader, fail: (error?: Error) => void (failure = error) };
}

/** Opens the list and waits for its first rows. */
async function opened(reader: RowReader<number>) {
  const waiting = new Set<{ readonly holds: () => boolean; readonly done: () => void }>();
  const rows: SparseRows<number> = createSparseRows(reader, () => {
    for (const waiter of waiting) if (waiter.holds()) waiter.done();
  });
  onTestFinished(() => rows.close());
  const until = (holds: () => boolean): Promise<void> =>
    holds() ? Promise.resolve() : new Promise((done) => void waiting.add({ holds, done }));
  await until(() => rows.total !== undefined || rows.error !== undefined);
  return { rows, until };
}

test('any row of 100,000 is reached from the nearest known place, and the way is walked once', async () => {
  const { requests, reader } = numbersUpTo(100_000);
  const { rows, until } = await opened(reader);
  expect(rows.total).toBe(100_000);
  expect(rows.at(99)).toBe(99);

  rows.show(50_000, 50_020);
  await until(() => rows.at(50_020) !== undefined);
  expect(rows.at(50_000)).toBe(50_000);
  const toTheMiddle = requests.length;
  expect(toTheMiddle).toBeLessThan(110);

  rows.show(99_970, 99_999);
  await until(() => rows.at(99_999) !== undefined);
  expect(rows.at(99_970)).toBe(99_970);
  expect(requests.length - toTheMiddle).toBeLessThan(6);

  rows.show(0, 20);
  await until(() => rows.at(0) !== undefined);
  const before = requests.length;
  rows.show(49_500, 49_520);
  await until(() => rows.at(49_500) !== undefined);
  expect(requests.length - before).toBeLessThan(4);
});

test('only rows that were in view lately stay in memory', async () => {
  const { reader } = numbersUpTo(10_000);
  const { rows, until } = await opened(reader);
  for (let top = 0; top < 10_000; top += 100) {
    rows.show(top, top + 30);
    await until(() => rows.at(top) !== undefined);
  }
  const kept = Array.from({ length: 10_000 }, (_, index) => rows.at(index)).filter((row) => row !== undefined);
  expect(kept.length).toBeLessThanOrEqual(3_200);
  expect(rows.at(9_999)).toBe(9_999);
});

test('the rows in view are read before those that were asked for earlier', async () => {
  const { requests, reader } = numbersUpTo(20_000);
  const { rows, until } = await opened(reader);
  rows.show(9_900, 9_930);
  rows.show(300, 330);
  await until(() => rows.at(300) !== undefined);
  expect(rows.at(9_900)).toBeUndefined();
  expect(requests.length).toBeLessThan(8);
});

test('a list that became shorter gets its new length', async () => {
  const { list, reader } = numbersUpTo(1_000);
  const { rows, until } = await opened(reader);
  list.length = 350;
  rows.show(300, 349);
  await until(() => rows.total === 350);
  await until(() => rows.at(349) !== undefined);
  expect(rows.at(349)).toBe(349);
});

test('rows that are gone from the end are read again from the beginning', async () => {
  const { list, reader } = numbersUpTo(1_000);
  const { rows, until } = await opened(reader);
  rows.show(970, 999);
  await until(() => rows.at(999) !== undefined);
  list.splice(0, list.length, ...list.slice(0, 40));
  rows.show(700, 720);
  await until(() => rows.total === 40);
  rows.show(0, 39);
  await until(() => rows.at(39) === 39);
});

test('an error stops the reading until it is tried again', async () => {
  const { requests, reader, fail } = numbersUpTo(1_000);
  const { rows, until } = await opened(reader);
  fail(new Error('away'));
  rows.show(500, 510);
  await until(() => rows.error !== undefined);
  const before = requests.length;
  rows.show(510, 520);
  expect(requests.length).toBe(before);
  fail();
  rows.retry();
  await until(() => rows.at(510) !== undefined);
  expect(rows.error).toBeUndefined();
});

test('an empty list has no rows and asks once', async () => {
  const { requests, reader } = numbersUpTo(0);
  const { rows } = await opened(reader);
  rows.show(0, 20);
  expect(rows.total).toBe(0);
  expect(rows.at(0)).toBeUndefined();
  expect(requests).toHaveLength(1);
});
