import type { Types } from 'mongoose';
import type { BlockExplanation, PatientFailure, JobFailure, PredictionRow } from '../../models/index.js';
import type { PatientRows } from '../patients/patient-rows.js';
import { CiphertextError } from '../protection/errors.js';
import type { FieldReader } from '../protection/protection.js';
import { riskBands } from '../risk/output-schema.js';
import type { RiskModel } from '../risk/risk-model.js';
import type { ExplainedColumns, ScoredColumns } from '../risk/score-columns.js';
import { SliceSizer } from '../risk/slices.js';
import { describeFailure } from './job-failure.js';
import { rowWidth } from '../predictions/prediction-block.js';
import { answerOf } from '../predictions/answer.js';
import { additivityFailure } from '../predictions/explanation.js';
import { modelLabel, type ModelMetrics } from './score-patient.js';
import type { ScoringEngine } from './scoring-engine.js';

/** The result for each patient of a chunk: a row or a failure. */
export interface ChunkOutcome {
  readonly rows: PredictionRow[];
  readonly failures: PatientFailure[];
  readonly explanation?: BlockExplanation;
  /** The time for which ages were computed. */
  readonly createdAt: Date;
}

/** The patients of a chunk, and the reader that decrypts their fields. */
interface ChunkPatients {
  readonly rows: PatientRows;
  readonly read: FieldReader;
}

/**
 * Scores patients with one model. A patient that cannot be scored becomes a failure; the others are scored. Nothing is
 * stored.
 * @throws AbortError when the signal is aborted
 */
type ScoreChunk = (
  model: RiskModel,
  patients: ChunkPatients,
  explain: boolean,
  signal: AbortSignal,
) => Promise<ChunkOutcome>;

export function createChunkScorer(engine: ScoringEngine, metrics: ModelMetrics): ScoreChunk {
  const completing = new SliceSizer();
  return async (model, { rows, read }, explain, signal) => {
    const createdAt = new Date();
    const failed = new Map<number, JobFailure>();
    await completing.each(rows.ids.length, signal, (start, end) => {
      rows.complete(read, createdAt, start, end, (row, error) => {
        if (!(error instanceof CiphertextError)) throw error;
        failed.set(row, describeFailure(error));
      });
    });
    const { used, refused } = model.encodeRows(rows.given);
    for (const [row, error] of refused) if (!failed.has(row)) failed.set(row, describeFailure(error));
    const scored = withoutFailed(rows, used, failed);
    const failures = [...failed].map(([row, failure]) => ({ patient: rows.ids[row]!, ...failure }));
    if (scored.ids.length === 0) return { rows: [], failures, createdAt };
    const columns = await engine.score({ model, used: scored.used, rowCount: scored.ids.length, explain }, signal);
    const { explanations, seconds } = columns;
    const label = { model: modelLabel(model) };
    metrics.inference.observe(label, seconds.scoring);
    if (explanations) metrics.explaining.observe(label, seconds.explaining);
    metrics.scoredRows.inc(label, scored.ids.length);
    const outcome = toRows(model, scored, columns, failures);
    metrics.additivityFailures.inc(label, outcome.failures.length - failures.length);
    return {
      ...outcome,
      ...(explanations && { explanation: { method: explanations.method, baseValue: explanations.baseValue } }),
      createdAt,
    };
  };
}

/** The patients that the model accepts. */
interface ScoredPatients {
  readonly ids: readonly Types.ObjectId[];
  /** Values as given, NaN for a missing one. Row-major, patients x features. */
  readonly given: Float64Array;
  /** Values as the model takes them, in the same order. */
  readonly used: Float64Array;
}

function withoutFailed(
  { ids, given }: PatientRows,
  used: Float64Array,
  failed: ReadonlyMap<number, JobFailure>,
): ScoredPatients {
  if (failed.size === 0) return { ids, given, used };
  const width = given.length / ids.length;
  const kept = ids.flatMap((_, row) => (failed.has(row) ? [] : [row]));
  const keptRows = (matrix: Float64Array): Float64Array => {
    const rows = new Float64Array(kept.length * width);
    kept.forEach((row, place) => rows.set(matrix.subarray(row * width, (row + 1) * width), place * width));
    return rows;
  };
  return { ids: kept.map((row) => ids[row]!), given: keptRows(given), used: keptRows(used) };
}

/** Makes one row per patient. A patient whose explanation does not add up becomes a failure instead. */
function toRows(
  { manifest }: RiskModel,
  { ids, given }: ScoredPatients,
  columns: ScoredColumns,
  earlier: readonly PatientFailure[],
): Pick<ChunkOutcome, 'rows' | 'failures'> {
  const { rawOutputs, answers, explanations } = columns;
  const features = given.length / ids.length;
  const classCount = manifest.classes?.length ?? 0;
  const width = rowWidth({ features, explained: explanations !== undefined, classes: classCount });
  const values = new Float64Array(ids.length * width);
  const bytes = Buffer.from(values.buffer);
  const failures = [...earlier];
  const rows: PredictionRow[] = [];
  ids.forEach((patient, index) => {
    const start = index * width;
    const explanation = explanations && explanationOf(explanations, index, features);
    const failure = explanation && additivityFailure(explanation, { rawOutput: rawOutputs[index]! });
    if (failure) return void failures.push({ patient, ...failure });
    values[start] = rawOutputs[index]!;
    for (let feature = 0; feature < features; feature += 1)
      values[start + 1 + feature] = given[index * features + feature]!;
    if (explanation) {
      values[start + 1 + features] = explanation.outputValue;
      values[start + 2 + features] = explanation.additivityError;
      values.set(explanation.contributions, start + 3 + features);
    }
    if (columns.classes) {
      const ofRow = (column: Float64Array): Float64Array =>
        column.subarray(index * classCount, (index + 1) * classCount);
      values.set(ofRow(columns.classes.rawOutputs), start + width - 2 * classCount);
      values.set(ofRow(columns.classes.probabilities), start + width - classCount);
    }
    rows.push({
      number: rows.length,
      patient,
      ...answerOf(manifest, answers[index]!),
      riskBand: riskBands[columns.riskBands[index]!]!,
      values: bytes.subarray(start * values.BYTES_PER_ELEMENT, (start + width) * values.BYTES_PER_ELEMENT),
    });
  });
  return { rows, failures };
}

function explanationOf(
  { baseValue, outputValues, additivityErrors, contributions }: ExplainedColumns,
  index: number,
  features: number,
) {
  return {
    baseValue,
    outputValue: outputValues[index]!,
    additivityError: additivityErrors[index]!,
    contributions: contributions.subarray(index * features, (index + 1) * features),
  };
}
