import type { Models, ScoringJob } from '../../models/index.js';

const dayMs = 86_400_000;
const jobsPerRound = 1_000;

/**
 * Removes finished jobs, and the chunks of their batches, after the retention time. Predictions stay: they belong to
 * the patient. Done by the clock rather than by a TTL index, which the embedded MongoDB does not have.
 * @returns how many jobs were removed
 */
export async function expireJobs(models: Models, retentionDays: number, now = new Date()): Promise<number> {
  const before = new Date(now.getTime() - retentionDays * dayMs);
  let removed = 0;
  for (;;) {
    const jobs = await models.scoringJobs
      .find({ 'status.finishedAt': { $lt: before } }, { _id: 1 })
      .limit(jobsPerRound)
      .lean<Pick<ScoringJob, '_id'>[]>();
    const ids = jobs.map(({ _id }) => _id);
    await models.scoringChunks.deleteMany({ job: { $in: ids } });
    await models.scoringJobs.deleteMany({ _id: { $in: ids } });
    removed += ids.length;
    if (ids.length < jobsPerRound) return removed;
  }
}
