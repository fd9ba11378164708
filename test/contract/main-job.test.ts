import { describe, expect, test } from 'vitest';
import {
  PredictionDocument,
  ScoringJobDocument,
  type PredictionFieldsFragment,
} from '../../src/client/generated/graphql.js';
import { goldenFeatures, heartDisease, modelId } from '../support/heart-disease.js';
import { followed, patient, submit, type JobEvent } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem();
const client = await system.client('CLINICIAN');

async function createPatient(features = goldenFeatures(0)): Promise<string> {
  return (await patient(client, { features })).id;
}

async function submitFor(patientId: string): Promise<string> {
  return (await submit(client, { patientId })).id;
}

/** Checks that sequence = previous + 1 + collapsed, from 0 on. Then the client has missed nothing. */
function expectGapless(events: readonly JobEvent[]): void {
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
    const job = await submit(client, { patientId });
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

    const events = await followed(client, job.id);
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
      modelId,
      modelVersion: heartDisease.version,
      model: { id: `${modelId}@${heartDisease.version}`, version: heartDisease.version },
      failures: [],
    });
    const { prediction } = await client.request(PredictionDocument, { id: last.prediction!.id });
    expect(prediction).toMatchObject({ ...last.prediction, patient: { id: patientId }, job: { id: job.id } });
  });

  test('shows its prediction with the terminal event and not before', async () => {
    const events = await followed(client, await submitFor(await createPatient()));
    expect(events.slice(0, -1).every(({ job }) => job.prediction === null)).toBe(true);
    expect(events.at(-1)!.job.prediction).not.toBeNull();
  });

  test('is followed by several subscribers at once, before and during it, who all see it end', async () => {
    const id = await submitFor(await createPatient());
    const all = await Promise.all([followed(client, id), followed(client, id), followed(client, id)]);
    all.forEach(expectGapless);
    // The number of changes that were folded into the last event may differ between subscribers.
    expect(new Set(all.map((events) => JSON.stringify(events.at(-1)!.job))).size).toBe(1);
  });

  test('sends a late subscriber one event with the current job, then the end', async () => {
    const id = await submitFor(await createPatient());
    const live = await followed(client, id);
    const late = await followed(client, id);
    expect(late).toHaveLength(1);
    expect(late[0]!.job).toEqual(live.at(-1)!.job);
    expectGapless(late);
  });

  test('resumes behind the sequence number that a subscriber saw last', async () => {
    const id = await submitFor(await createPatient());
    const last = (await followed(client, id)).at(-1)!;
    // Resumes behind the first change, which made the job QUEUED.
    const resumed = await followed(client, id, 1);
    expect(resumed.at(-1)).toMatchObject({ sequence: last.sequence, job: { state: 'COMPLETED' } });
    expect(resumed[0]!.sequence).toBe(2 + resumed[0]!.collapsed);
  });
});

describe('the stored explanation', () => {
  const contributionsOf = ({ explanation }: PredictionFieldsFragment): Record<string, number> =>
    Object.fromEntries(explanation!.contributions.map(({ feature, value }) => [feature.code, value]));

  test.each(heartDisease.golden.map((golden, index) => [index, golden] as const))(
    'of golden vector %i equals the reference, and adds up',
    async (index, golden) => {
      const events = await followed(client, await submitFor(await createPatient(goldenFeatures(index))));
      const prediction = events.at(-1)!.job.prediction!;
      const explanation = prediction.explanation!;

      expect(prediction.rawOutput).toBeCloseTo(golden.rawOutput!, 6);
      expect(prediction.probability).toBeCloseTo(golden.probability!, 6);
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

      const band = heartDisease.riskBands.filter(({ from }) => from <= prediction.probability!).at(-1)!.band;
      expect(prediction.riskBand).toBe(band);
      expect(prediction.inputs).toEqual(
        heartDisease.features.map(({ code, unit }) => ({ code, unit, value: golden.features[code] ?? null })),
      );
      const sizes = explanation.contributions.map(({ value }) => Math.abs(value));
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    },
  );
});
