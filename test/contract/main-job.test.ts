import { describe, expect, test } from 'vitest';
import {
  CreatePatientDocument,
  PredictionDocument,
  ScoringJobDocument,
  ScoringJobUpdatedDocument,
  SubmitScoringJobDocument,
  type PredictionFieldsFragment,
  type ScoringJobUpdatedSubscription,
} from '../../src/client/generated/graphql.js';
import { goldenFeatures, heartDisease, modelId, newPatient } from '../support/heart-disease.js';
import { startSystem } from '../support/system.js';

const system = await startSystem();
const client = await system.client('CLINICIAN');

type Event = ScoringJobUpdatedSubscription['scoringJobUpdated'];

async function createPatient(features = goldenFeatures(0)): Promise<string> {
  return (await client.request(CreatePatientDocument, { input: newPatient({ features }) })).createPatient.id;
}

async function submit(patientId: string): Promise<string> {
  return (await client.request(SubmitScoringJobDocument, { input: { patientId, modelId } })).submitScoringJob.id;
}

/** Every event of a job, from now to the end of the subscription. */
async function follow(id: string): Promise<Event[]> {
  const events: Event[] = [];
  for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id }))
    events.push(scoringJobUpdated);
  return events;
}

/** sequence = previous + 1 + collapsed, from 0 on: the client has missed nothing. */
function expectGapless(events: readonly Event[]): void {
  let previous = 0;
  for (const { sequence, collapsed, job } of events) {
    expect(sequence).toBe(previous + 1 + collapsed);
    expect(job.sequence).toBe(sequence);
    previous = sequence;
  }
}

describe('the main job', () => {
  test('is accepted as QUEUED, followed over the WebSocket, and ends COMPLETED with its prediction', async () => {
    const patientId = await createPatient();
    const { submitScoringJob: job } = await client.request(SubmitScoringJobDocument, { input: { patientId, modelId } });
    expect(job).toMatchObject({
      kind: 'SINGLE',
      state: 'QUEUED',
      attempts: 0,
      sequence: 1,
      submittedBy: 'the-clinician',
      startedAt: null,
      finishedAt: null,
      error: null,
    });
    expect(job.progress).toEqual({ stage: 'WAITING', processed: 0, total: 1, percent: 0, failed: 0 });

    const events = await follow(job.id);
    expectGapless(events);
    const last = events.at(-1)!.job;
    expect(last).toMatchObject({ state: 'COMPLETED', attempts: 1, error: null });
    expect(last.progress).toEqual({ stage: 'DONE', processed: 1, total: 1, percent: 100, failed: 0 });
    expect(new Date(last.startedAt!) >= new Date(last.submittedAt)).toBe(true);
    expect(new Date(last.finishedAt!) >= new Date(last.startedAt!)).toBe(true);
    expect(last.prediction).not.toBeNull();

    const { scoringJob } = await client.request(ScoringJobDocument, { id: job.id });
    expect(scoringJob).toMatchObject({
      id: job.id,
      state: 'COMPLETED',
      patient: { id: patientId },
      model: { id: modelId, version: heartDisease.version },
      failures: [],
    });
    const { prediction } = await client.request(PredictionDocument, { id: last.prediction!.id });
    expect(prediction).toMatchObject({ ...last.prediction, patient: { id: patientId }, job: { id: job.id } });
  });

  test('shows its prediction with the terminal event and not before', async () => {
    const events = await follow(await submit(await createPatient()));
    expect(events.slice(0, -1).every(({ job }) => job.prediction === null)).toBe(true);
    expect(events.at(-1)!.job.prediction).not.toBeNull();
  });

  test('is followed by several subscribers at once, before and during it, who all see it end', async () => {
    const id = await submit(await createPatient());
    const followed = await Promise.all([follow(id), follow(id), follow(id)]);
    followed.forEach(expectGapless);
    // How many changes were folded into the last event is each subscriber's own affair.
    expect(new Set(followed.map((events) => JSON.stringify(events.at(-1)!.job))).size).toBe(1);
  });

  test('is told to a late subscriber: one event with the job as it stands, then the end', async () => {
    const id = await submit(await createPatient());
    const live = await follow(id);
    const late = await follow(id);
    expect(late).toHaveLength(1);
    expect(late[0]!.job).toEqual(live.at(-1)!.job);
    expectGapless(late);
  });

  test('resumes behind the sequence number that a subscriber saw last', async () => {
    const id = await submit(await createPatient());
    const last = (await follow(id)).at(-1)!;
    const resumed: Event[] = [];
    // Behind the first change, which made it QUEUED.
    for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id, after: 1 }))
      resumed.push(scoringJobUpdated);
    expect(resumed.at(-1)).toMatchObject({ sequence: last.sequence, job: { state: 'COMPLETED' } });
    expect(resumed[0]!.sequence).toBe(2 + resumed[0]!.collapsed);
  });
});

describe('the stored explanation', () => {
  const contributionsOf = ({ explanation }: PredictionFieldsFragment): Record<string, number> =>
    Object.fromEntries(explanation.contributions.map(({ feature, value }) => [feature.code, value]));

  test.each(heartDisease.golden.map((golden, index) => [index, golden] as const))(
    'of golden vector %i is the reference to the last digits, and adds up',
    async (index, golden) => {
      const events = await follow(await submit(await createPatient(goldenFeatures(index))));
      const prediction = events.at(-1)!.job.prediction!;
      const { explanation } = prediction;

      expect(prediction.rawOutput).toBeCloseTo(golden.rawOutput, 6);
      expect(prediction.probability).toBeCloseTo(golden.probability, 6);
      const contributions = contributionsOf(prediction);
      expect(Object.keys(contributions).sort()).toEqual(Object.keys(golden.contributions!).sort());
      for (const [code, value] of Object.entries(golden.contributions!))
        expect(Math.abs(contributions[code]! - value), code).toBeLessThan(1e-6);

      const sum = Object.values(contributions).reduce((total, value) => total + value, explanation.baseValue);
      expect(Math.abs(sum - explanation.outputValue)).toBeLessThan(1e-9);
      expect(explanation.additivityError).toBeLessThan(1e-9);
      expect(Math.abs(explanation.outputValue - prediction.rawOutput)).toBeLessThan(1e-5);
      expect(explanation).toMatchObject({ method: 'PATH_DEPENDENT', outputSpace: 'PROBABILITY' });
      expect(prediction.modelSha256).toBe(heartDisease.model.sha256);

      const band = heartDisease.riskBands.filter(({ from }) => from <= prediction.probability).at(-1)!.band;
      expect(prediction.riskBand).toBe(band);
      expect(prediction.inputs).toEqual(
        heartDisease.features.map(({ code, unit }) => ({ code, unit, value: golden.features[code] ?? null })),
      );
      const sizes = explanation.contributions.map(({ value }) => Math.abs(value));
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    },
  );
});
