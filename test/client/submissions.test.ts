import { expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { createClient } from '../../src/client/graphql-client.js';
import { submit, watchJob, JobEndedError } from '../../src/client/submit.js';
import { wait } from '../../src/client/wait.js';
import { modelId } from '../support/heart-disease.js';
import { ended, patient } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

test('plain texts are documents, and a list of jobs is followed whole over both transports', async () => {
  const system = await startSystem();
  const client = await system.client('CLINICIAN');
  expect(await client.request<{ viewer: object }>('{ viewer { username } }')).toEqual({
    viewer: { username: 'the-clinician' },
  });
  const { id: patientId } = await patient(client);
  for (const webSocket of [WebSocket, false]) {
    const other = createClient({ url: system.url, token: await system.token('CLINICIAN'), webSocket });
    onTestFinished(() => other.close());
    let begun = (): void => undefined;
    const beginning = new Promise<void>((resolve) => (begun = resolve));
    const ends = new Set<string>();
    const events = other.subscribe<{ all: { job: { id: string; state: string } } }>(
      'subscription { all: scoringJobsUpdated { sequence collapsed job { id state } } }',
      {},
      { onBegin: () => begun() },
    );
    const first = events.next();
    await beginning;
    const jobs = await Promise.all(
      [1, 2, 3, 4].map(async () => (await submit(client, { patientId, modelId }).result).id),
    );
    for (let event = first; ends.size < 4;) {
      const { job } = ((await event).value as { all: { job: { id: string; state: string } } }).all;
      if (job.state === 'COMPLETED' && jobs.includes(job.id)) ends.add(job.id);
      if (ends.size < 4) event = events.next();
    }
    expect([...ends].sort()).toEqual(jobs.sort());
    await events.return!();
  }
});

test('submit goes on while the API is away, until its patience or its signal ends', async () => {
  const away = createClient({ url: 'http://127.0.0.1:1' });
  const breaks: number[] = [];
  const input = { patientId: 'a', modelId };
  const impatient = submit(away, input, { patienceMs: 0, onBreak: (_error, waitMs) => breaks.push(waitMs) });
  await expect(impatient.result).rejects.toMatchObject({ name: 'ConnectionError' });
  expect(breaks).toEqual([]);
  const controller = new AbortController();
  const left = submit(away, input, {
    signal: controller.signal,
    onBreak: () => breaks.push(1) === 3 && controller.abort(new Error('left')),
  });
  await expect(left.result).rejects.toThrow('left');
  expect(breaks).toHaveLength(3);
});

test('submit gives the job, its progress and its result', async () => {
  const system = await startSystem();
  const client = await system.client('CLINICIAN');
  const { id: patientId } = await patient(client);
  const submission = submit(client, { patientId, modelId });
  const states: string[] = [];
  for await (const { job } of submission.progress) states.push(job.state);
  expect(states.at(-1)).toBe('COMPLETED');
  const result = await submission.result;
  expect(result).toMatchObject({ id: (await submission.job).id, state: 'COMPLETED' });
  expect(result.prediction!.probability).toBeGreaterThan(0);
  // The progress of a job that has ended is its last change.
  const again: string[] = [];
  for await (const { job } of watchJob(client, result.id).progress) again.push(job.state);
  expect(again).toEqual(['COMPLETED']);
  await expect(submit(client, { patientId: 'none', modelId }).result).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('cancel ends a job, and its result says so', async () => {
  const system = await startSystem({ worker: false });
  const client = await system.client('CLINICIAN');
  const submission = submit(client, { patientIds: [(await patient(client)).id], modelId });
  await submission.cancel();
  await expect(submission.result).rejects.toBeInstanceOf(JobEndedError);
  expect((await ended(client, (await submission.job).id)).state).toBe('CANCELLED');
});

test('a signal that was aborted before ends a wait at once', async () => {
  const waited = wait(600_000, AbortSignal.abort());
  await expect(waited).resolves.toBeUndefined();
});
