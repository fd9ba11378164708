import { Types } from 'mongoose';
import { JobStage, type JobFault, type Prediction, type ScoringJob, type StoredExplanation } from '../../models/index.js';
import { modelInputs } from '../patients/model-inputs.js';
import type { Patient } from '../patients/patient.js';
import { CiphertextError } from '../protection/errors.js';
import { InvalidFeaturesError, type EncodedRow, type RiskModel, type RowExplanation, type Score } from '../risk/risk-model.js';
import { describeFault } from './job-fault.js';

/** An explanation further from its sum than this is never stored. In the model's output space. */
export const additivityTolerance = 1e-5;

export interface ScoringOutcome {
  readonly predictions: Prediction[];
  readonly failures: { readonly patient: Types.ObjectId; readonly fault: JobFault }[];
}

/**
 * Scores and explains patients with one model. A patient that cannot be scored is a failure of its own; the others
 * go on. Stores nothing.
 * @param onStage told when the work enters a stage
 * @throws AbortError when the signal is aborted
 */
export async function scorePatients(
  model: RiskModel,
  job: ScoringJob,
  patients: readonly Patient[],
  { signal, onStage }: { readonly signal?: AbortSignal; readonly onStage?: (stage: JobStage) => void } = {},
): Promise<ScoringOutcome> {
  const now = new Date();
  const failures: ScoringOutcome['failures'] = [];
  const encoded: { patient: Patient; row: EncodedRow }[] = [];
  for (const patient of patients) {
    try {
      encoded.push({ patient, row: model.encode(modelInputs(model.manifest, patient, now)) });
    } catch (error) {
      if (!(error instanceof InvalidFeaturesError || error instanceof CiphertextError)) throw error;
      failures.push({ patient: patient._id, fault: describeFault(error) });
    }
  }
  const rows = encoded.map(({ row }) => row);
  onStage?.(JobStage.SCORING);
  const scores = await model.score(rows, signal);
  if (job.explain) onStage?.(JobStage.EXPLAINING);
  const explanations = job.explain ? await model.explain(rows, undefined, signal) : undefined;

  const predictions = encoded.flatMap(({ patient, row }, index) => {
    const explanation = explanations?.[index];
    const fault = explanation && additivityFault(explanation, scores[index]!);
    if (fault) failures.push({ patient: patient._id, fault });
    return fault ? [] : [toPrediction(model, job, patient._id, row, scores[index]!, explanation, now)];
  });
  return { predictions, failures };
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

/** The contributions must add up to what the model said, by its own sum and by the score's. */
export function additivityFault(explanation: RowExplanation, score: Pick<Score, 'rawOutput'>): JobFault | undefined {
  const sum = explanation.contributions.reduce((total, value) => total + value, explanation.baseValue);
  const error = Math.abs(sum - score.rawOutput);
  if (error <= additivityTolerance && explanation.additivityError <= additivityTolerance) return undefined;
  return {
    code: 'INTERNAL',
    message: `The explanation does not add up to the model's output (off by ${error.toExponential(1)}, ${additivityTolerance} is allowed): nothing was stored. Have the risk model checked with "riskgraph model check".`,
  };
}
