import { Types } from 'mongoose';
import type { Models, ScoringJob, ScoringChunk } from '../../models/index.js';
import { removeFromLog } from '../storage/document-log.js';

const dayMs = 86_400_000;

const jobsPerRound = 1_000;

/**
 * Removes finished jobs after the retention time. A job that still has predictions is kept, because they refer to it;
 * only its history and its chunks are removed. A timer calls this: the embedded MongoDB has no TTL index.
 * @returns the number of jobs that were examined
 */
export async function expireJobs(models: Models, retentionDays: number, now = new Date()): Promise<number> {
  const before = new Date(now.getTime() - retentionDays * dayMs);
  // This condition is part of every write. A job that was retried meanwhile has no end time any more, so it stays.
  const ended = { 'status.finishedAt': { $lt: before } };
  let expired = 0;
  for (;;) {
    const jobs = await models.scoringJobs
      .find({ ...ended, compactedAt: { $exists: false } }, { _id: 1 })
      .limit(jobsPerRound)
      .lean<Pick<ScoringJob, '_id'>[]>();
    const ids = jobs.map(({ _id }) => _id);
    const referred = await jobsWithPredictions(models, ids);
    // The sequence number goes up, so that a retry at the same time sees the change.
    await models.scoringJobs.updateMany(
      { _id: { $in: referred }, ...ended },
      { $set: { compactedAt: now, transitions: [] }, $inc: { 'status.sequence': 1 } },
    );
    await models.scoringJobs.deleteMany({ _id: { $in: ids, $nin: referred }, ...ended });
    const revived = (await models.scoringJobs.distinct('_id', {
      _id: { $in: ids },
      compactedAt: { $exists: false },
    })) as ScoringJob['_id'][];
    const over = { job: { $in: ids, $nin: revived } };
    await models.scoringChunks.deleteMany(over);
    await removeFromLog(models.predictionBlocks.collection, { ...over, size: 0 });
    await models.predictionBlocks.updateMany({ ...over, failed: { $gt: 0 } }, { $set: { failed: 0, failures: [] } });
    expired += ids.length;
    if (ids.length < jobsPerRound) return expired;
  }
}

async function jobsWithPredictions(
  { predictions, predictionBlocks }: Models,
  ids: ScoringJob['_id'][],
): Promise<ScoringJob['_id'][]> {
  const job = { $in: ids };
  const found = await Promise.all([
    predictions.distinct('job', { job }),
    predictionBlocks.distinct('job', { job, size: { $gt: 0 } }),
  ]);
  return found.flat() as ScoringJob['_id'][];
}

/** Age from which a chunk must have a job: far longer than a submission takes. Milliseconds. */
const submissionMs = 86_400_000;

/**
 * Removes chunks without a job. A process left them behind when it died between two writes: that of the chunks and that
 * of the job. This can happen at submission and at the end of the retention time.
 * @returns the number of chunks that were removed
 */
export async function pruneChunks({ scoringChunks, scoringJobs }: Models, now = new Date()): Promise<number> {
  const youngest = Types.ObjectId.createFromTime((now.getTime() - submissionMs) / 1000);
  const orphaned = await scoringChunks.aggregate<{ _id: ScoringChunk['job'] }>([
    { $match: { job: { $lt: youngest } } },
    { $group: { _id: '$job' } },
    {
      $lookup: {
        from: scoringJobs.collection.collectionName,
        localField: '_id',
        foreignField: '_id',
        pipeline: [{ $project: { _id: 1 } }],
        as: 'owners',
      },
    },
    { $match: { owners: [] } },
  ]);
  const { deletedCount } = await scoringChunks.deleteMany({ job: { $in: orphaned.map(({ _id }) => _id) } });
  return deletedCount;
}
