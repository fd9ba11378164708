import type { Types } from 'mongoose';
import type { Models, PredictionBlock, ScoringChunk, ScoringJob } from '../../models/index.js';
import { isDuplicateKey } from '../storage/database.js';
import { createLogWriter } from '../storage/document-log.js';
import type { RiskModel } from '../risk/risk-model.js';
import { unitOf } from '../predictions/answer.js';
import { newBlockId } from '../predictions/prediction-block.js';
import type { ChunkOutcome } from './score-chunk.js';

/** The stored outcomes of chunks. The first outcome of a chunk counts, even if the chunk runs several times. */
interface ChunkOutcomes {
  /** @returns null when the chunk has no outcome yet */
  find(chunk: ScoringChunk): Promise<PredictionBlock | null>;
  /** Stores an outcome. @returns the outcome that counts: an earlier one if there is one */
  store(job: ScoringJob, model: RiskModel, chunk: ScoringChunk, outcome: ChunkOutcome): Promise<PredictionBlock>;
  /** @returns the number of erasures of patients in the organization so far */
  erasures(organization: Types.ObjectId): Promise<number>;
  /**
   * Removes patients that were erased while the chunk was computed. Their erasure may have searched for predictions
   * before this block was stored.
   * @param erasures number of erasures before the patients were read. If it is unchanged, no patient is searched for.
   * @returns the block without the erased patients
   */
  withoutErased(block: PredictionBlock, erasures?: number): Promise<PredictionBlock>;
}

export function createChunkOutcomes({ organizations, patients, predictionBlocks }: Models): ChunkOutcomes {
  const blockLog = createLogWriter(predictionBlocks, ({ job, chunk }) => ({ job, chunk }));

  async function missing(ids: Types.ObjectId[]): Promise<Set<string>> {
    const filter = { _id: { $in: ids } };
    // Nearly always all patients are present, and a count is a short answer.
    if ((await patients.collection.countDocuments(filter)) === ids.length) return new Set();
    const present = await patients.collection.find(filter, { projection: { _id: 1 } }).toArray();
    const found = new Set(present.map(({ _id }) => _id.toHexString()));
    return new Set(ids.map((id) => id.toHexString()).filter((id) => !found.has(id)));
  }

  async function countErasures(organization: Types.ObjectId): Promise<number> {
    const found = await organizations.collection.findOne({ _id: organization }, { projection: { erasures: 1 } });
    return (found?.erasures as number | undefined) ?? 0;
  }

  const find = (chunk: ScoringChunk): Promise<PredictionBlock | null> =>
    predictionBlocks.findOne({ job: chunk.job, chunk: chunk.number }).lean<PredictionBlock>();

  return {
    find,
    erasures: countErasures,

    async store(job, model, chunk, { rows, failures, explanation, createdAt }) {
      const block: PredictionBlock = {
        _id: newBlockId(createdAt),
        organization: job.organization,
        job: job._id,
        chunk: chunk.number,
        modelId: model.manifest.id,
        modelVersion: model.manifest.version,
        modelSha256: model.sha256,
        outputSpace: model.manifest.outputSpace,
        ...unitOf(model.manifest),
        features: model.manifest.features.map(({ code }) => code),
        ...(model.manifest.classes && { classes: [...model.manifest.classes] }),
        ...(explanation && { explanation }),
        createdAt,
        size: rows.length,
        highestProbability: rows.reduce((highest, { probability = 0 }) => Math.max(highest, probability), 0),
        riskBands: [...new Set(rows.map(({ riskBand }) => riskBand))],
        ...(rows.length > 0 && { unlisted: true }),
        rows,
        failed: failures.length,
        failures,
      };
      const [outcome] = await blockLog.append([block]);
      if (!('error' in outcome!)) return block;
      const stored = isDuplicateKey(outcome.error) && (await find(chunk));
      if (!stored) throw outcome.error;
      return stored;
    },

    async withoutErased(block, erasures) {
      if (erasures !== undefined && erasures === (await countErasures(block.organization))) return block;
      const erased = await missing(block.rows.map(({ patient }) => patient));
      const gone = block.rows.filter(({ patient }) => erased.has(patient.toHexString()));
      for (const { patient } of gone) {
        await predictionBlocks.updateOne(
          { _id: block._id, 'rows.patient': patient },
          { $pull: { rows: { patient } }, $inc: { size: -1 } },
        );
      }
      return gone.length === 0 ? block : { ...block, rows: block.rows.filter((row) => !gone.includes(row)) };
    },
  };
}
