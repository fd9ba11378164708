import { randomBytes } from 'node:crypto';
import { Types } from 'mongoose';
import type { PredictionBlock, StoredPatient } from '../../models/index.js';
import { newBlockId } from '../../src/predictions/prediction-block.js';
import type { BenchSystem } from './setup.js';

const rowsPerBlock = 2_000;
const random = (): number => randomBytes(6).readUIntBE(0, 6) / 2 ** 48;

/**
 * Stores one prediction per patient in blocks, as a batch does, with random probabilities. Then writes the latest result
 * of each patient.
 * @returns patients per second of the latter
 */
export async function storeLatestResults({ app, viewer }: Pick<BenchSystem, 'app' | 'viewer'>): Promise<number> {
  const { models, latestResults, patients, registry } = app;
  const { manifest, sha256 } = registry.list()[0]!;
  const ids = (await models.patients.find({}, { _id: 1 }).lean<Pick<StoredPatient, '_id'>[]>()).map(({ _id }) => _id);
  for (let start = 0; start < ids.length; start += rowsPerBlock) {
    const createdAt = new Date();
    const rows = ids.slice(start, start + rowsPerBlock).map((patient, number) => {
      const probability = random();
      return { number, patient, probability, riskBand: probability > 0.5 ? 'HIGH' : 'LOW', values: Buffer.alloc(232) };
    });
    const block: PredictionBlock = {
      _id: newBlockId(createdAt),
      organization: new Types.ObjectId(viewer.organizationId),
      job: new Types.ObjectId(),
      chunk: 0,
      modelId: manifest.id,
      modelVersion: manifest.version,
      modelSha256: sha256,
      outputSpace: manifest.outputSpace,
      features: manifest.features.map(({ code }) => code),
      createdAt,
      size: rows.length,
      highestProbability: 1,
      riskBands: ['LOW', 'HIGH'],
      unlisted: true,
      rows,
      failed: 0,
      failures: [],
    };
    await models.predictionBlocks.collection.insertOne(block as never);
  }
  // Makes the index first, as a deployment has it when its first list was read.
  await patients.list(viewer, { first: 1 }, {}, { latest: 'PROBABILITY', direction: -1 });
  const begun = performance.now();
  while (!(await latestResults.collect()));
  return Math.round((ids.length / (performance.now() - begun)) * 1_000);
}
