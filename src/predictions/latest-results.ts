/*
 * Latest results: the newest result of each model, kept within the patient's own document, so that a list of patients can
 * be filtered and ordered by it.
 *
 * - The result of a SINGLE job is written after its prediction was stored, and before the job ends. After a crash the job
 *   runs again, finds the stored prediction, and writes the result.
 * - A block of a batch is stored with the mark `unlisted`, so that no crash can lose its results. They are written when
 *   the worker has no more chunks of the batch, and by the maintenance: a write to each patient costs MongoDB several
 *   times as much as the batch itself, and must not slow it down.
 * - The result of a SINGLE job is written by its worker, which has just made it. All others MongoDB itself copies from the
 *   predictions ($merge). A result replaces an older one only, so that a late one, or the same one again, changes nothing.
 * - A patient that was erased meanwhile is passed over: the result lives and ends with the patient's document.
 */
import type { PipelineStage, Types } from 'mongoose';
import {
  latestResultField,
  type LatestResult,
  type Models,
  type Prediction,
  type PredictionBlock,
} from '../../models/index.js';
import { defined } from '../process/defined.js';
import { createGroupCommit, type GroupCommit } from '../storage/group-commit.js';
import { largestCohort } from '../storage/group-queries.js';
import { predictionId } from './prediction-block.js';

/** Writes latest results. */
export interface LatestResults {
  /** Writes the result of a prediction, which is stored on its own. Calls at the same time share a round trip. */
  readonly keep: GroupCommit<Prediction, void>;
  /** Writes the results of these predictions, which are stored on their own. */
  keepMany(predictions: readonly Pick<Prediction, '_id' | 'modelId'>[]): Promise<void>;
  /** Writes the results of all rows of these blocks. */
  keepBlocks(blocks: readonly Pick<PredictionBlock, '_id' | 'modelId'>[]): Promise<void>;
  /**
   * Writes the results of the blocks that are marked as unlisted, for about `sliceMs`. Two processes at once do no harm.
   * @returns true when none is left
   */
  collect(sliceMs?: number): Promise<boolean>;
}

/** Blocks per round of `collect`. */
const blocksPerRound = 5;

/** The fields of a result that both kinds of stored predictions have. */
const shared = { unit: '$unit', modelVersion: '$modelVersion', createdAt: '$createdAt' } as const;

export function createLatestResults({ patients, predictions, predictionBlocks }: Models): LatestResults {
  /** Stages that write `result` of each document that comes in to the patient with the same `_id`. */
  function merge(modelId: string): PipelineStage.Merge {
    const field = latestResultField(modelId);
    const newer = { $gt: ['$$new.result.createdAt', `$${field}.createdAt`] };
    return {
      $merge: {
        into: patients.collection.collectionName,
        on: '_id',
        whenMatched: [{ $set: { [field]: { $cond: [newer, '$$new.result', `$${field}`] } } }],
        whenNotMatched: 'discard',
      },
    };
  }

  async function keepMany(stored: readonly Pick<Prediction, '_id' | 'modelId'>[]): Promise<void> {
    for (const [modelId, ids] of idsByModel(stored))
      await predictions.collection
        .aggregate([
          { $match: { _id: { $in: ids } } },
          {
            $project: {
              _id: '$patient',
              result: {
                source: '$_id',
                value: { $ifNull: ['$probability', '$quantity'] },
                riskBand: '$riskBand',
                ...shared,
              },
            },
          },
          merge(modelId),
        ])
        .toArray();
  }

  async function keepBlocks(blocks: readonly Pick<PredictionBlock, '_id' | 'modelId'>[]): Promise<void> {
    for (const [modelId, ids] of idsByModel(blocks))
      await predictionBlocks.collection
        .aggregate([
          { $match: { _id: { $in: ids } } },
          { $unwind: '$rows' },
          {
            $project: {
              _id: '$rows.patient',
              result: {
                source: '$_id',
                number: '$rows.number',
                value: { $ifNull: ['$rows.probability', '$rows.quantity'] },
                riskBand: '$rows.riskBand',
                ...shared,
              },
            },
          },
          merge(modelId),
        ])
        .toArray();
  }

  return {
    keepMany,
    keepBlocks,
    keep: createGroupCommit(
      async (group) => {
        await patients.collection.bulkWrite(
          group.map((prediction) => ({ updateOne: latestResultWrite(prediction) })) as never[],
          { ordered: false },
        );
        return group.map(() => ({ value: undefined }));
      },
      { largest: largestCohort },
    ),
    async collect(sliceMs = 1_000) {
      const until = performance.now() + sliceMs;
      for (;;) {
        const found = await predictionBlocks
          .find({ unlisted: true }, { modelId: 1 })
          .sort({ _id: 1 })
          .limit(blocksPerRound)
          .lean<Pick<PredictionBlock, '_id' | 'modelId'>[]>();
        await keepBlocks(found);
        await predictionBlocks.updateMany({ _id: { $in: found.map(({ _id }) => _id) } }, { $unset: { unlisted: 1 } });
        if (found.length < blocksPerRound) return true;
        if (performance.now() > until) return false;
      }
    },
  };
}

/** The write of a prediction's result to its patient. It finds no patient who has a later one. */
export function latestResultWrite(prediction: Prediction): { readonly filter: object; readonly update: object } {
  const { _id, patient, modelId, modelVersion, riskBand, unit, createdAt } = prediction;
  const field = latestResultField(modelId);
  const value = prediction.probability ?? prediction.quantity;
  const result = defined({ source: _id, value, riskBand, unit, modelVersion, createdAt });
  return {
    filter: { _id: patient, [`${field}.createdAt`]: { $not: { $gt: createdAt } } },
    update: { $set: { [field]: result } },
  };
}

function idsByModel(stored: readonly Pick<Prediction, '_id' | 'modelId'>[]): Map<string, Types.ObjectId[]> {
  const byModel = new Map<string, Types.ObjectId[]>();
  for (const { _id, modelId } of stored) byModel.set(modelId, [...(byModel.get(modelId) ?? []), _id]);
  return byModel;
}

/** Id of the prediction that a latest result was copied from. */
export const predictionOfResult = ({ source, number }: LatestResult): Types.ObjectId =>
  number === undefined ? source : predictionId(source, number);

/**
 * Finds the prediction behind a patient's latest result.
 * @param modelId the model; without one, the newest result of any model counts
 * @param version with it, only a result of this version of the model counts
 * @returns undefined when there is none
 */
export function latestPredictionOf(
  results: Readonly<Record<string, LatestResult>> | undefined,
  modelId?: string,
  version?: string,
): Types.ObjectId | undefined {
  const found = Object.entries(results ?? {})
    .filter(([id, result]) => (modelId ?? id) === id && (version ?? result.modelVersion) === result.modelVersion)
    .map(([, result]) => result);
  const newest = found.reduce<LatestResult | undefined>(
    (latest, result) => (latest && latest.createdAt >= result.createdAt ? latest : result),
    undefined,
  );
  return newest && predictionOfResult(newest);
}
