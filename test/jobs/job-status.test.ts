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
  transitionsOf,
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
    const waiting = requeued(started(submitted(), now), failure, now);
    expect(waiting).toMatchObject({ state: ScoringJobState.QUEUED, error: failure, attempts: 1 });
    const again = started(waiting, now);
    expect(again.attempts).toBe(2);
    expect(completed(again, { processed: 1, failed: 0 }, now)).not.toHaveProperty('error');
  });

  test('keeps the first start over attempts, and clears the end when the job is retried', () => {
    const ended = failed(started(submitted(), now), failure, now);
    const later = new Date(now.getTime() + 1000);
    const again = started(revived(ended, later), later);
    expect(again).toMatchObject({ state: ScoringJobState.ACTIVE, startedAt: now, attempts: 2 });
    expect(again).not.toHaveProperty('finishedAt');
    expect(again).not.toHaveProperty('error');
  });
});

describe('the transitions of a job', () => {
  const at = (seconds: number): Date => new Date(now.getTime() + seconds * 1_000);
  const waiting = submitted();
  const first = started(waiting, at(1));
  const again = requeued(progressed(first, { processed: 1 }), failure, at(2));
  const second = started(again, at(3));
  const ended = failed(second, failure, at(4));
  const told = (job: ScoringJob) =>
    transitionsOf(job).map(({ state, attempt, at: time, errorCode }) => [state, attempt, time, errorCode]);

  test('have their times, and the codes of the reasons', () => {
    const job = jobOf(waiting, first, again, second, ended);
    expect(told(job)).toEqual([
      ['QUEUED', 0, now, null],
      ['ACTIVE', 1, at(1), null],
      ['QUEUED', 1, at(2), 'INTERNAL'],
      ['ACTIVE', 2, at(3), null],
      ['FAILED', 2, at(4), 'INTERNAL'],
    ]);
    // A subscriber sees the job as it was right after a change.
    expect(told({ ...job, status: again })).toHaveLength(3);
    expect(told(jobOf(waiting, cancelled(waiting, at(5)), revived(cancelled(waiting, at(5)), at(6))))).toEqual([
      ['QUEUED', 0, now, null],
      ['CANCELLED', 0, at(5), null],
      ['QUEUED', 0, at(6), null],
    ]);
  });

  test('of a job of an earlier release have the times that it stored', () => {
    const old = [waiting, first, again, second, ended].map(({ since: _since, ...status }) => status);
    expect(told(jobOf(...old)).map(([, , time]) => time)).toEqual([now, at(1), null, null, at(4)]);
  });

  test('of a job that was reduced are its submission, first start and end', () => {
    expect(told({ ...jobOf(waiting, first, again, second, ended), transitions: [] })).toEqual([
      ['QUEUED', 0, now, null],
      ['ACTIVE', 1, at(1), null],
      ['FAILED', 2, at(4), 'INTERNAL'],
    ]);
    expect(told({ ...jobOf(cancelled(waiting, at(5))), transitions: [] }).map(([state]) => state)).toEqual([
      'QUEUED',
      'CANCELLED',
    ]);
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
