import type { Types } from 'mongoose';
import type { Models, PredictionBlock, ScoringChunk, ScoringJob } from '../../models/index.js';
import { isDuplicateKey } from '../storage/database.js';
import type { RiskModel } from '../risk/risk-model.js';
import { newBlockId } from '../predictions/prediction-block.js';
import type { ChunkOutcome } from './score-chunk.js';

/** What became of chunks, as stored. The first outcome of a chunk counts, however often it is run. */
interface ChunkOutcomes {
  /** Null when the chunk has none yet. */
  find(chunk: ScoringChunk): Promise<PredictionBlock | null>;
  /** @returns the outcome that counts */
  store(job: ScoringJob, model: RiskModel, chunk: ScoringChunk, outcome: ChunkOutcome): Promise<PredictionBlock>;
  /** How many erasures of patients the organization has seen. */
  erasures(organization: Types.ObjectId): Promise<number>;
  /**
   * Takes out who was erased while we computed: whoever erased them may have looked for predictions before ours were stored.
   * @param erasures seen before the patients were read: if there were no more since, nobody is looked for
   * @returns the block without them
   */
  withoutErased(block: PredictionBlock, erasures?: number): Promise<PredictionBlock>;
}

export function createChunkOutcomes({ organizations, patients, predictionBlocks }: Models): ChunkOutcomes {
  const { collection } = predictionBlocks;

  async function missing(ids: Types.ObjectId[]): Promise<Set<string>> {
    const filter = { _id: { $in: ids } };
    // Nearly always all are there, and a number is quickly sent.
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
        features: model.manifest.features.map(({ code }) => code),
        ...(explanation && { explanation }),
        createdAt,
        size: rows.length,
        highestProbability: rows.reduce((highest, { probability }) => Math.max(highest, probability), 0),
        riskBands: [...new Set(rows.map(({ riskBand }) => riskBand))],
        rows,
        failed: failures.length,
        failures,
      };
      try {
        await collection.insertOne(block as never);
        return block;
      } catch (error) {
        const stored = isDuplicateKey(error) && (await find(chunk));
        if (!stored) throw error;
        return stored;
      }
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
