import { Types } from 'mongoose';
import { describe, expect, test } from 'vitest';
import { JobStage, ScoringJobKind, ScoringJobState, type JobStatus, type ScoringJob } from '../../models/index.js';
import {
  cancelled,
  changesSince,
  completed,
  failed,
  progressed,
  requeued,
  revived,
  started,
  submitted,
} from '../../src/jobs/job-status.js';

const now = new Date('2026-03-01T12:00:00Z');
const failure = { code: 'INTERNAL', message: 'it broke' };

/** A job that had the given statuses. Each change of state is kept. */
function jobOf(...statuses: JobStatus[]): ScoringJob {
  const transitions = statuses.filter((status, index) => index === 0 || status.state !== statuses[index - 1]!.state);
  return {
    _id: new Types.ObjectId(),
    organization: new Types.ObjectId(),
    kind: ScoringJobKind.SINGLE,
    status: statuses.at(-1)!,
    transitions,
    total: 1,
    submittedAt: now,
    submittedBy: 'a-clinician',
    modelId: 'm',
    modelVersion: '1.0.0',
    modelSha256: '',
    explain: true,
    priority: 5,
    attemptsThisRun: 0,
    dispatch: 1,
    dispatchedAt: now,
  };
}

describe('the life of a job', () => {
  test('counts every change', () => {
    const active = started(submitted(), now);
    const saving = progressed(active, { stage: JobStage.SAVING });
    expect(
      [submitted(), active, saving, completed(saving, { processed: 1, failed: 0 }, now)].map(
        ({ sequence }) => sequence,
      ),
    ).toEqual([1, 2, 3, 4]);
  });

  test('shows the last error while the job waits for another attempt, and forgets it when the job succeeds', () => {
    const waiting = requeued(started(submitted(), now), failure);
    expect(waiting).toMatchObject({ state: ScoringJobState.QUEUED, error: failure, attempts: 1 });
    const again = started(waiting, now);
    expect(again.attempts).toBe(2);
    expect(completed(again, { processed: 1, failed: 0 }, now)).not.toHaveProperty('error');
  });

  test('keeps the first start over attempts, and clears the end when the job is retried', () => {
    const ended = failed(started(submitted(), now), failure, now);
    const later = new Date(now.getTime() + 1000);
    const again = started(revived(ended), later);
    expect(again).toMatchObject({ state: ScoringJobState.ACTIVE, startedAt: now, attempts: 2 });
    expect(again).not.toHaveProperty('finishedAt');
    expect(again).not.toHaveProperty('error');
  });
});

describe('the events that a subscriber gets', () => {
  const one = submitted();
  const two = started(one, now);
  const three = progressed(two, { processed: 1 });
  const four = progressed(three, { processed: 2 });
  const five = cancelled(four, now);

  const gapless = (changes: readonly { sequence: number; collapsed: number }[], after: number): boolean =>
    changes.every(
      ({ sequence, collapsed }, index) => sequence === (changes[index - 1]?.sequence ?? after) + 1 + collapsed,
    );

  test('are one with the current job, if the subscriber saw nothing', () => {
    const changes = changesSince(jobOf(one, two, three), 0);
    expect(changes.map(({ sequence, collapsed }) => [sequence, collapsed])).toEqual([[3, 2]]);
    expect(gapless(changes, 0)).toBe(true);
  });

  test('are every change of state, with progress folded into the next change', () => {
    const changes = changesSince(jobOf(one, two, three, four, five), 1);
    expect(changes.map(({ sequence, collapsed, job }) => [sequence, collapsed, job.status.state])).toEqual([
      [2, 0, ScoringJobState.ACTIVE],
      [5, 2, ScoringJobState.CANCELLED],
    ]);
    expect(gapless(changes, 1)).toBe(true);
  });

  test('are none, if the subscriber saw everything', () => {
    expect(changesSince(jobOf(one, two, three), 3)).toEqual([]);
  });

  test('are only the latest progress, however many changes happened', () => {
    const changes = changesSince(jobOf(one, two, three, four), 2);
    expect(changes.map(({ sequence, collapsed }) => [sequence, collapsed])).toEqual([[4, 1]]);
  });
});
