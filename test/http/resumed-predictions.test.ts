import { createClient as createSseClient } from 'graphql-sse';
import { Types } from 'mongoose';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Prediction } from '../../models/index.js';
import { DeletePatientDocument, PredictionCreatedDocument } from '../../src/client/generated/graphql.js';
import { followersAt, takers, type Created, createdQuery as query } from '../support/prediction-stream.js';
import { ended, patient, scored, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ environment: { BATCH_CHUNK_SIZE: '3' } });
const client = await system.client('CLINICIAN');
const token = await system.token('CLINICIAN');

const { overWebSocket, overEvents, transports } = takers(system);

/** Batches and single jobs have no common order. */
const idsOf = (events: readonly Created[]): string[] => events.map(({ id }) => id).sort();

/** Scores patients one by one, and in a batch whose blocks have three rows. @returns the number of predictions */
async function scoreSome(): Promise<number> {
  const patientIds: string[] = [];
  for (let index = 0; index < 5; index += 1) patientIds.push((await patient(client)).id);
  const batch = await submit(client, { patientIds });
  await scored(client);
  await ended(client, batch.id);
  await scored(client);
  return 7;
}

describe.each(transports)('over %s', (_name, take) => {
  test('every event is a place to resume from: the rest follows, each once', async () => {
    await expect.poll(() => followersAt(system.url)).toBe(0);
    const live = await take(7, { meanwhile: scoreSome });
    expect(new Set(live.map(({ id }) => id)).size).toBe(7);
    for (const [index, { cursor }] of live.slice(0, -1).entries()) {
      const left = live.slice(index + 1);
      const resumed = await take(left.length, { after: cursor });
      expect(idsOf(resumed)).toEqual(idsOf(left));
    }
    // Nothing was left behind the last one: the next event is a new prediction.
    const [next] = await take(1, { after: live.at(-1)!.cursor, meanwhile: () => scored(client) });
    expect(live.map(({ id }) => id)).not.toContain(next!.id);
  });

  test('a cursor of one patient resumes with the predictions of that patient', async () => {
    await expect.poll(() => followersAt(system.url)).toBe(0);
    const { id: patientId } = await patient(client);
    const score = async () => ended(client, (await submit(client, { patientId })).id);
    const [first] = await take(1, { patientId, meanwhile: score });
    await scoreSome();
    const second = await score();
    const batch = await submit(client, { patientIds: [patientId, (await patient(client)).id] });
    await ended(client, batch.id);
    const [one, two] = await take(2, { patientId, after: first!.cursor });
    expect(one!.id).toBe(second.prediction!.id);
    const { data } = await system.post<{ prediction: { jobId: string } }>(
      `{ prediction(id: "${two!.id}") { jobId } }`,
      undefined,
      token,
    );
    expect(data!.prediction.jobId).toBe(batch.id);
  });

  test('a cursor of another subscription, organization or patient is refused, and so is one that is none', async () => {
    await expect.poll(() => followersAt(system.url)).toBe(0);
    const { id: patientId } = await patient(client);
    const [own] = await take(1, { meanwhile: () => scored(client) });
    const foreign = await system.client('CLINICIAN', 'beta');
    const as = await system.token('CLINICIAN', 'beta');
    const [other] = await take(1, { as, meanwhile: () => scored(foreign) });
    const page = await system.post<{ predictions: { pageInfo: { endCursor: string } } }>(
      '{ predictions(first: 1) { pageInfo { endCursor } } }',
      undefined,
      token,
    );
    const refused = { code: 'BAD_USER_INPUT', fields: [{ path: 'after', message: expect.any(String) }] };
    for (const wanted of [
      { after: other!.cursor },
      { after: own!.cursor, patientId },
      { after: page.data!.predictions.pageInfo.endCursor },
      { after: '' },
      { after: '12' },
      { after: `${own!.cursor.slice(0, -4)}AAAA` },
    ])
      await expect(take(1, wanted), JSON.stringify(wanted)).rejects.toMatchObject(refused);
    // The server learns of the end of the streams above a moment later.
    await expect.poll(() => followersAt(system.url)).toBe(0);
  });
});

test('what was erased meanwhile is left out, and its place is never taken by another prediction', async () => {
  await expect.poll(() => followersAt(system.url)).toBe(0);
  let patientId = '';
  const [before, last] = await overWebSocket(2, {
    async meanwhile() {
      await scored(client);
      ({ patientId } = await scored(client));
    },
  });
  await client.request(DeletePatientDocument, { id: patientId });
  const after = await scored(client);
  expect((await overWebSocket(1, { after: before!.cursor }))[0]!.id).toBe(after.predictionId);
  expect((await overWebSocket(1, { after: last!.cursor }))[0]!.id).toBe(after.predictionId);
});

test('a cursor ahead of all predictions is refused, as after a backup was restored', async () => {
  await expect.poll(() => followersAt(system.url)).toBe(0);
  const [ahead] = await overWebSocket(1, { meanwhile: () => scored(client) });
  await system.app.models.predictions.collection.deleteMany({});
  await expect(overWebSocket(1, { after: ahead!.cursor })).rejects.toMatchObject({
    fields: [{ path: 'after', message: expect.stringContaining('ahead of all predictions') }],
  });
});

test('an EventSource resumes with Last-Event-ID, also before its first event', async () => {
  const abort = new AbortController();
  const response = await fetch(`${system.url}/graphql`, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query }),
    signal: abort.signal,
  });
  const { value } = await response.body!.getReader().read();
  const [, start = ''] = /^:\nid: (.*)\n\n$/.exec(new TextDecoder().decode(value)) ?? [];
  abort.abort();
  const first = await scored(client);
  const second = await scored(client);
  const resumed = await overEvents(2, { headers: { 'last-event-id': start } });
  expect(resumed.map(({ id }) => id)).toEqual([first.predictionId, second.predictionId]);
  const [rest] = await overEvents(1, { headers: { 'last-event-id': resumed[0]!.cursor } });
  expect(rest!.id).toBe(second.predictionId);
});

test('the client of graphql-sse reads the stream of new predictions', async () => {
  const sse = createSseClient({
    url: `${system.url}/graphql`,
    headers: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
  });
  onTestFinished(() => sse.dispose());
  await expect.poll(() => followersAt(system.url)).toBe(0);
  const events = sse.iterate<{ predictionCreated: Created }>({ query });
  const next = events.next();
  await expect.poll(() => followersAt(system.url)).toBe(1);
  const { predictionId } = await scored(client);
  expect((await next).value).toMatchObject({ data: { predictionCreated: { id: predictionId } } });
  await events.return!();
});

test('a prediction whose event was lost is sent within some seconds', async () => {
  await expect.poll(() => followersAt(system.url)).toBe(0);
  const { predictionId } = await scored(client);
  const events = client.subscribe(PredictionCreatedDocument, {});
  const next = events.next();
  await expect.poll(() => followersAt(system.url)).toBe(1);
  // As by a worker that dies right behind the write.
  const { models, scoringRecords } = system.app;
  const stored = await models.predictions.findById(predictionId).lean<Prediction>().orFail();
  const _id = new Types.ObjectId();
  await scoringRecords.storePrediction({ ...stored, _id, job: new Types.ObjectId() });
  expect((await next).value).toMatchObject({ predictionCreated: { id: _id.toHexString() } });
  await events.return!();
});
