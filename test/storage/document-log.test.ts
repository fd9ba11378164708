import { Types } from 'mongoose';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Prediction } from '../../models/index.js';
import { createLogWriter, expireFromLog, lastNumber, removeFromLog } from '../../src/storage/document-log.js';
import { startSystem } from '../support/system.js';

const { app } = await startSystem({ worker: false });
const { predictions } = app.models;

/** A prediction as far as a log looks at it. */
const prediction = (organization: Types.ObjectId): Prediction =>
  ({
    _id: new Types.ObjectId(),
    organization,
    job: new Types.ObjectId(),
    patient: new Types.ObjectId(),
  }) as Prediction;

const newWriter = () => createLogWriter(predictions, ({ job, patient }) => ({ job, patient }));
const { append } = newWriter();

/** The numbers of a log that can be read now. */
async function numbers(organization: Types.ObjectId): Promise<number[]> {
  const found = await predictions.collection
    .find<{ logged: { number: number } }>({ 'logged.organization': organization }, { sort: { 'logged.number': 1 } })
    .toArray();
  return found.map(({ logged }) => logged.number);
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

test('who sees a number sees all before it, while many writers append', async () => {
  const organization = new Types.ObjectId();
  let appending = true;
  const seen: number[][] = [];
  const reading = (async () => {
    while (appending) seen.push(await numbers(organization));
  })();
  await Promise.all(
    Array.from({ length: 8 }, async (_, writer) => {
      // Every other one is a process of its own, which does not know of the numbers of the others.
      const { append: appendHere } = writer % 2 === 0 ? newWriter() : { append };
      for (let group = 0; group < 10; group += 1)
        await appendHere(Array.from({ length: 1 + (writer % 3) }, () => prediction(organization)));
    }),
  );
  appending = false;
  await reading;
  expect(seen.length).toBeGreaterThan(5);
  for (const found of seen) expect(found).toEqual(upTo(found.length));
  const all = await numbers(organization);
  expect(all).toEqual(upTo(150));
});

test('a document that was stored before fails alone, with the code of a duplicate key', async () => {
  const organization = new Types.ObjectId();
  const first = prediction(organization);
  await append([first]);
  const again = { ...prediction(organization), job: first.job, patient: first.patient };
  const outcomes = await append([prediction(organization), again, prediction(organization)]);
  expect(outcomes).toEqual([
    { value: undefined },
    { error: expect.objectContaining({ code: 11_000 }) },
    { value: undefined },
  ]);
  expect(await numbers(organization)).toEqual([1, 2, 3]);
});

test('organizations in one group have a log each', async () => {
  const [one, other] = [new Types.ObjectId(), new Types.ObjectId()];
  await append([prediction(one), prediction(other), prediction(one)]);
  expect([await numbers(one), await numbers(other)]).toEqual([[1, 2], [1]]);
});

test('the number of a removed document is never given again, and nothing else stays of it', async () => {
  const organization = new Types.ObjectId();
  const [kept, last] = [prediction(organization), prediction(organization)];
  await append([kept, last]);
  await removeFromLog(predictions.collection, { _id: { $in: [last._id, kept._id] } });
  expect(await lastNumber(predictions, organization)).toBe(2);
  await append([prediction(organization)]);
  expect(await numbers(organization)).toEqual([1, 2, 3]);
  expect(await predictions.collection.findOne({ _id: last._id })).toEqual({
    _id: last._id,
    job: last._id,
    logged: { organization, number: 2 },
  });
});

test('a writer goes on behind a number that another process has taken, or that is left of a removed document', async () => {
  const organization = new Types.ObjectId();
  const [here, there] = [newWriter(), newWriter()];
  await here.append([prediction(organization)]);
  await there.append([prediction(organization), prediction(organization)]);
  await here.append([prediction(organization), prediction(organization)]);
  await there.append([prediction(organization)]);
  expect(await numbers(organization)).toEqual(upTo(6));
  const last = prediction(organization);
  await there.append([last]);
  await removeFromLog(predictions.collection, { _id: last._id });
  await here.append([prediction(organization)]);
  await there.append([prediction(organization)]);
  expect(await numbers(organization)).toEqual(upTo(9));
});

test('a writer that was idle gives no number again that another one gave and that expired meanwhile', async () => {
  const organization = new Types.ObjectId();
  const [idle, busy] = [newWriter(), newWriter()];
  await idle.append([prediction(organization)]);
  const expired = [prediction(organization), prediction(organization)];
  await busy.append(expired);
  await expireFromLog(
    predictions,
    organization,
    expired.map(({ job }) => job),
  );
  vi.useFakeTimers({ now: Date.now() + 61_000, toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  await idle.append([prediction(organization)]);
  expect(await numbers(organization)).toEqual([1, 3, 4]);
});

test('a document without a number is removed whole', async () => {
  const old = prediction(new Types.ObjectId());
  await predictions.collection.insertOne(old as never);
  await removeFromLog(predictions.collection, { _id: old._id });
  expect(await predictions.collection.findOne({ _id: old._id })).toBeNull();
});
