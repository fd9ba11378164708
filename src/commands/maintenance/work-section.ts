import { Types } from 'mongoose';
import type { Models } from '../../../models/index.js';
import { percent, type Section } from './section.js';

/** Jobs of one kind that have the same state and the same failure. */
interface Group {
  readonly _id: { readonly kind: string; readonly state: string; readonly code?: string };
  readonly jobs: number;
  readonly patients: number;
  readonly failed: number;
  readonly meanMs: number | null;
  readonly mostMs: number | null;
}

const seconds = (milliseconds: number | null): string =>
  milliseconds === null ? '' : (milliseconds / 1_000).toFixed(2);

/** Tells how the jobs of the period ended, with the codes of their failures, and how long they took. */
export async function workSection({ scoringJobs }: Models, days: number, now = new Date()): Promise<Section> {
  const since = Types.ObjectId.createFromTime(Math.floor(now.getTime() / 1_000) - days * 86_400);
  const took = { $subtract: ['$status.finishedAt', '$submittedAt'] };
  const groups = await scoringJobs.collection
    .aggregate<Group>([
      { $match: { _id: { $gte: since } } },
      {
        $group: {
          _id: { kind: '$kind', state: '$status.state', code: '$status.error.code' },
          jobs: { $sum: 1 },
          patients: { $sum: '$total' },
          failed: { $sum: '$status.failed' },
          meanMs: { $avg: took },
          mostMs: { $max: took },
        },
      },
      { $sort: { '_id.kind': -1, '_id.state': 1, jobs: -1 } },
    ])
    .toArray();
  const jobs = groups.reduce((sum, group) => sum + group.jobs, 0);
  const failed = groups.filter(({ _id }) => _id.state === 'FAILED').reduce((sum, group) => sum + group.jobs, 0);
  return {
    title: `Jobs that were submitted in the last ${days} days`,
    columns: ['kind', 'state', 'error', 'jobs', 'patients', 'of them failed', 'mean s', 'longest s'],
    rows: groups.map(({ _id, jobs: count, patients, failed: patientsFailed, meanMs, mostMs }) => [
      _id.kind,
      _id.state,
      _id.code ?? '',
      count,
      patients,
      patientsFailed,
      seconds(meanMs),
      seconds(mostMs),
    ]),
    remarks: [
      jobs === 0 ? 'There are none.' : `${failed} of ${jobs} jobs failed (${percent(failed, jobs)}).`,
      'A long time after its end, a job is removed (JOB_RETENTION_DAYS), and is not in this table.',
    ],
  };
}
