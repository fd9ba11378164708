import { Types } from 'mongoose';
import type { Models, Prediction, PredictionBlock } from '../../models/index.js';

/** The patient of every prediction of a job, read from MongoDB, one entry per prediction. */
export async function predictedPatients(
  { predictions, predictionBlocks }: Models,
  jobId: string | Types.ObjectId,
): Promise<string[]> {
  const job = new Types.ObjectId(jobId);
  const singles = await predictions.find({ job }, { patient: 1 }).lean<Pick<Prediction, 'patient'>[]>();
  const blocks = await predictionBlocks.find({ job }, { 'rows.patient': 1 }).lean<Pick<PredictionBlock, 'rows'>[]>();
  return [...singles, ...blocks.flatMap(({ rows }) => rows)].map(({ patient }) => patient.toHexString());
}
