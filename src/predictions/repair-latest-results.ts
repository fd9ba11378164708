import type { Types } from 'mongoose';
import type { Models, Prediction } from '../../models/index.js';
import type { RepairPass } from '../storage/repairs.js';
import type { LatestResults } from './latest-results.js';

/** Predictions, and blocks of them, per round. */
const perRound = { predictions: 1_000, blocks: 10 };

type Named = Pick<Prediction, '_id' | 'modelId'>;

/** The passes of the repair: over predictions that are stored on their own, and over those in blocks. */
export function latestResultsPasses({ predictions, predictionBlocks }: Models, latest: LatestResults): RepairPass[] {
  const pass = (
    { collection }: Models['predictions'] | Models['predictionBlocks'],
    limit: number,
    keep: (found: readonly Named[]) => Promise<void>,
  ): RepairPass => ({
    collectionName: collection.collectionName,
    count: () => collection.estimatedDocumentCount(),
    async handle(after: Types.ObjectId | undefined) {
      const found = (await collection
        // A removed document has no model any more.
        .find(
          { modelId: { $exists: true }, ...(after && { _id: { $gt: after } }) },
          { projection: { modelId: 1 }, sort: { _id: 1 }, limit },
        )
        .toArray()) as unknown as Named[];
      if (found.length === 0) return null;
      await keep(found);
      return { last: found.at(-1)!._id, count: found.length };
    },
  });
  return [
    pass(predictions, perRound.predictions, latest.keepMany),
    pass(predictionBlocks, perRound.blocks, latest.keepBlocks),
  ];
}
