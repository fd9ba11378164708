import type { Types } from 'mongoose';
import type { Prediction, PredictionRow } from '../../models/index.js';
import type { OrganizationScope } from '../organization-scope.js';
import type { PageSource } from '../pagination.js';
import { blockHeadFields, placeOf, predictionOf, type BlockHead } from './prediction-block.js';
import { blockQuery, choosesRows, predictionQuery, rowCondition, type PredictionFilter } from './prediction-filter.js';

/** The predictions of one organization, whether a single job stored them by themselves or a batch in blocks. */
export interface StoredPredictions {
  find(id: Types.ObjectId): Promise<Prediction | null>;
  /** In the order of the ids; null where there is none. */
  findMany(ids: readonly Types.ObjectId[]): Promise<(Prediction | null)[]>;
  /** The prediction of a SINGLE job. */
  ofJob(job: Types.ObjectId): Promise<Prediction | null>;
  /** Newest first. */
  list(filter: PredictionFilter): PageSource<Prediction>;
  /** Takes out everything about a patient. */
  erase(patient: Types.ObjectId): Promise<void>;
}

/** A row that was taken out of its block by `$unwind`. */
type UnwoundRow = BlockHead & { readonly rows: PredictionRow };

const newestFirst = { _id: -1 } as const;

export function storedPredictions({ predictions, predictionBlocks }: Pick<OrganizationScope, 'predictions' | 'predictionBlocks'>): StoredPredictions {
  async function findInBlock(id: Types.ObjectId): Promise<Prediction | null> {
    const { block, number } = placeOf(id);
    const found = await predictionBlocks.findOne({ _id: block }, { projection: { ...blockHeadFields, rows: { $elemMatch: { number } } } });
    const row = found?.rows?.[0];
    return row ? predictionOf(found, row) : null;
  }

  async function find(id: Types.ObjectId): Promise<Prediction | null> {
    const [single, ofBlock] = await Promise.all([predictions.findOne({ _id: id }), findInBlock(id)]);
    return single ?? ofBlock;
  }

  async function listBlocks(filter: PredictionFilter, after: Types.ObjectId | undefined, limit: number): Promise<Prediction[]> {
    const matching = { $filter: { input: '$rows', as: 'row', cond: rowCondition(filter, after) } };
    const rows = await predictionBlocks.aggregate<UnwoundRow>(blockQuery(filter, after), [
      { $sort: newestFirst },
      { $project: { ...blockHeadFields, rows: { $reverseArray: matching } } },
      // Reads no more blocks than it takes to fill the page.
      { $unwind: '$rows' },
      { $limit: limit },
    ]);
    return rows.map(({ rows: row, ...head }) => predictionOf(head, row));
  }

  async function countInBlocks(filter: PredictionFilter): Promise<number> {
    const size = choosesRows(filter) ? { $size: { $filter: { input: '$rows', as: 'row', cond: rowCondition(filter) } } } : '$size';
    const [sum] = await predictionBlocks.aggregate<{ count: number }>(blockQuery(filter), [{ $group: { _id: null, count: { $sum: size } } }]);
    return sum?.count ?? 0;
  }

  return {
    find,
    findMany: (ids) => Promise.all(ids.map(find)),
    ofJob: (job) => predictions.findOne({ job }),
    list: (filter) => ({
      async find(after, limit) {
        const [single, ofBlocks] = await Promise.all([
          predictions.find(predictionQuery(filter, after?.id), { sort: newestFirst, limit }),
          listBlocks(filter, after?.id, limit),
        ]);
        return [...single, ...ofBlocks].sort((a, b) => Buffer.compare(b._id.id, a._id.id)).slice(0, limit);
      },
      async count() {
        const counts = await Promise.all([predictions.count(predictionQuery(filter)), countInBlocks(filter)]);
        return counts[0] + counts[1];
      },
    }),
    async erase(patient) {
      await predictions.deleteMany({ patient });
      await predictionBlocks.updateMany({ 'rows.patient': patient }, { $pull: { rows: { patient } }, $inc: { size: -1 } });
      await predictionBlocks.updateMany({ 'failures.patient': patient, failed: { $gt: 0 } }, { $pull: { failures: { patient } } });
    },
  };
}
