import { Types } from 'mongoose';
import { JobStage, type Prediction, type ScoringJob } from '../../models/index.js';
import { modelInputs } from '../patients/model-inputs.js';
import type { ScorablePatient } from '../patients/scorable-patient.js';
import type { EncodedRow, RiskModel, RowExplanation, Score } from '../risk/risk-model.js';
import { versionName } from '../risk/model-name.js';
import type { Metrics } from '../process/metrics.js';
import { PermanentError } from './job-failure.js';
import { answerOf, classesOf, unitOf } from '../predictions/answer.js';
import { additivityFailure, toStoredExplanation } from '../predictions/explanation.js';
import { createGroupCommit } from '../storage/group-commit.js';

/**
 * Scores one patient, and explains the score if the job asks for it. Nothing is stored.
 * @param onStage called when the work enters a stage
 * @throws InvalidFeaturesError when the patient cannot be scored, PermanentError when the explanation does not add up,
 *   AbortError when the signal is aborted
 */
export async function scorePatient(
  {
    model,
    scorer,
    job,
    metrics,
  }: {
    readonly model: RiskModel;
    readonly scorer: RowScorer;
    readonly job: ScoringJob;
    readonly metrics: Pick<Metrics, 'additivityFailures'>;
  },
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
  const failure = additivityFailure(explanation, score);
  if (failure) {
    metrics.additivityFailures.inc({ model: modelLabel(model) });
    throw new PermanentError(failure);
  }
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
    ...unitOf(model.manifest),
    ...answerOf(model.manifest, score.probability ?? score.quantity!),
    riskBand: score.riskBand,
    ...classesOf(model.manifest, score.classes),
    inputs: Object.fromEntries(model.manifest.features.map(({ code }, index) => [code, row.given[index] ?? null])),
    ...(explanation && { explanation: toStoredExplanation(explanation) }),
    createdAt,
  };
}

/** The metrics of what models do. */
export type ModelMetrics = Pick<Metrics, 'inference' | 'explaining' | 'scoredRows' | 'additivityFailures'>;

/** Names a model in metrics. */
export const modelLabel = ({ manifest }: RiskModel): string => versionName(manifest.id, manifest.version);

/** Scores and explains single rows with one risk model. Rows that come at the same time share one call of the model. */
export interface RowScorer {
  score(row: EncodedRow): Promise<Score>;
  explain(row: EncodedRow): Promise<RowExplanation>;
}

/**
 * Makes the row scorer of each model when it is first needed, and keeps it. A single row costs twice as much as a row
 * that is scored together with others.
 */
export function createRowScorers(metrics: ModelMetrics): (model: RiskModel) => RowScorer {
  const scorers = new WeakMap<RiskModel, RowScorer>();
  return (model) => {
    const known = scorers.get(model);
    if (known) return known;
    const scorer: RowScorer = {
      score: createGroupCommit(async (rows) => {
        const end = metrics.inference.startTimer({ model: modelLabel(model) });
        const scores = await model.score(rows);
        end();
        metrics.scoredRows.inc({ model: modelLabel(model) }, rows.length);
        return scores.map((value) => ({ value }));
      }),
      explain: createGroupCommit(async (rows) => {
        const end = metrics.explaining.startTimer({ model: modelLabel(model) });
        const explained = await model.explain(rows);
        end();
        return explained.map((value) => ({ value }));
      }),
    };
    scorers.set(model, scorer);
    return scorer;
  };
}
