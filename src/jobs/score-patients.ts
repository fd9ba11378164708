import { Types } from 'mongoose';
import { JobStage, type JobFault, type Prediction, type ScoringJob, type StoredExplanation } from '../../models/index.js';
import { modelInputs } from '../patients/model-inputs.js';
import type { ScorablePatient } from '../patients/scorable-patient.js';
import type { EncodedRow, RiskModel, RowExplanation, Score } from '../risk/risk-model.js';
import type { RowScorer } from './grouped-scoring.js';
import { PermanentFault } from './job-fault.js';

/** An explanation further from its sum than this is never stored. In the model's output space. */
export const additivityTolerance = 1e-5;

/**
 * Scores one patient, and explains the score if the job asks for it. Stores nothing.
 * @param onStage told when the work enters a stage
 * @throws InvalidFeaturesError when the patient cannot be scored, PermanentFault when the explanation does not add up,
 *   AbortError when the signal is aborted
 */
export async function scorePatient(
  { model, scorer, job }: { readonly model: RiskModel; readonly scorer: RowScorer; readonly job: ScoringJob },
  patient: ScorablePatient,
  { signal, onStage }: { readonly signal: AbortSignal; readonly onStage: (stage: JobStage) => void },
): Promise<Prediction> {
  const now = new Date();
  const row = model.encode(modelInputs(model.manifest, patient, now));
  onStage(JobStage.SCORING);
  const score = await scorer.score(row);
  signal.throwIfAborted();
  if (!job.explain) return toPrediction(model, job, patient._id, row, score, undefined, now);
  onStage(JobStage.EXPLAINING);
  const explanation = await scorer.explain(row);
  signal.throwIfAborted();
  const fault = additivityFault(explanation, score);
  if (fault) throw new PermanentFault(fault);
  return toPrediction(model, job, patient._id, row, score, explanation, now);
}

function toPrediction(
  model: RiskModel,
  job: ScoringJob,
  patient: Types.ObjectId,
  row: EncodedRow,
  score: Score,
  explanation: RowExplanation | undefined,
  createdAt: Date,
): Prediction {
  return {
    _id: new Types.ObjectId(),
    organization: job.organization,
    patient,
    job: job._id,
    modelId: model.manifest.id,
    modelVersion: model.manifest.version,
    modelSha256: model.sha256,
    rawOutput: score.rawOutput,
    outputSpace: model.manifest.outputSpace,
    probability: score.probability,
    riskBand: score.riskBand,
    inputs: Object.fromEntries(model.manifest.features.map(({ code }, index) => [code, row.given[index] ?? null])),
    ...(explanation && { explanation: toStoredExplanation(explanation) }),
    createdAt,
  };
}

export function toStoredExplanation(explanation: RowExplanation): StoredExplanation {
  const { method, baseValue, outputValue, additivityError, contributions } = explanation;
  return { method, baseValue, outputValue, additivityError, contributions: Array.from(contributions) };
}

/** What of an explanation, computed or stored, must add up. */
export interface AdditiveExplanation {
  readonly baseValue: number;
  readonly contributions: Iterable<number>;
  readonly additivityError: number;
}

/** The contributions must add up to what the model said, by its own sum and by the score's. */
export function additivityFault(
  explanation: AdditiveExplanation,
  score: Pick<Score, 'rawOutput'>,
): JobFault | undefined {
  let sum = explanation.baseValue;
  for (const value of explanation.contributions) sum += value;
  const error = Math.abs(sum - score.rawOutput);
  if (error <= additivityTolerance && explanation.additivityError <= additivityTolerance) return undefined;
  return {
    code: 'INTERNAL',
    message: `The explanation does not add up to the model's output (off by ${error.toExponential(1)}, ${additivityTolerance} is allowed): nothing was stored. Have the risk model checked with "riskgraph model check".`,
  };
}
