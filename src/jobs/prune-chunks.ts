import { Types } from 'mongoose';
import type { Models, ScoringChunk } from '../../models/index.js';

/** Far longer than a submission takes. Milliseconds. */
const submissionMs = 86_400_000;

/**
 * Removes chunks without a job: left behind by a process that died between them and the job, at submission or at the
 * end of the retention time.
 * @returns how many were removed
 */
export async function pruneChunks({ scoringChunks, scoringJobs }: Models, now = new Date()): Promise<number> {
  const youngest = Types.ObjectId.createFromTime((now.getTime() - submissionMs) / 1000);
  const orphaned = await scoringChunks.aggregate<{ _id: ScoringChunk['job'] }>([
    { $match: { job: { $lt: youngest } } },
    { $group: { _id: '$job' } },
    { $lookup: { from: scoringJobs.collection.collectionName, localField: '_id', foreignField: '_id', pipeline: [{ $project: { _id: 1 } }], as: 'owners' } },
    { $match: { owners: [] } },
  ]);
  const { deletedCount } = await scoringChunks.deleteMany({ job: { $in: orphaned.map(({ _id }) => _id) } });
  return deletedCount;
}
