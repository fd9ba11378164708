import type { Models, Prediction, ScoringJob } from '../../models/index.js';

const dayMs = 86_400_000;
const jobsPerRound = 1_000;

/**
 * Removes finished jobs after the retention time. A job whose predictions are still there is cut down to the record
 * they refer to: its history and the chunks of its batch go. Done by the clock rather than by a TTL index, which the
 * embedded MongoDB does not have.
 * @returns how many jobs were removed or cut down
 */
export async function expireJobs(models: Models, retentionDays: number, now = new Date()): Promise<number> {
  const before = new Date(now.getTime() - retentionDays * dayMs);
  let expired = 0;
  for (;;) {
    const jobs = await models.scoringJobs
      .find({ 'status.finishedAt': { $lt: before }, compactedAt: { $exists: false } }, { _id: 1 })
      .limit(jobsPerRound)
      .lean<Pick<ScoringJob, '_id'>[]>();
    const ids = jobs.map(({ _id }) => _id);
    const referred = (await models.predictions.distinct('job', { job: { $in: ids } })) as Prediction['job'][];
    await models.scoringChunks.deleteMany({ job: { $in: ids } });
    await models.scoringJobs.updateMany({ _id: { $in: referred } }, { $set: { compactedAt: now, transitions: [] } });
    await models.scoringJobs.deleteMany({ _id: { $in: ids, $nin: referred } });
    expired += ids.length;
    if (ids.length < jobsPerRound) return expired;
  }
}
