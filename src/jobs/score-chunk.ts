import type { Types } from 'mongoose';
import type { BlockExplanation, ChunkFailure, PredictionRow } from '../../models/index.js';
import { modelInputs } from '../patients/model-inputs.js';
import type { ScorablePatient } from '../patients/scorable-patient.js';
import { CiphertextError } from '../protection/errors.js';
import { riskBands } from '../risk/manifest.js';
import { InvalidFeaturesError, type EncodedRow, type RiskModel } from '../risk/risk-model.js';
import type { ExplainedColumns, ScoredColumns } from '../risk/score-columns.js';
import { SliceSizer } from '../risk/slices.js';
import { describeFault } from './job-fault.js';
import { rowWidth } from './prediction-block.js';
import { additivityFault } from './score-patients.js';
import type { ScoringEngine } from './scoring-engine.js';

/** What became of the patients of a chunk. */
export interface ChunkOutcome {
  readonly rows: PredictionRow[];
  readonly failures: ChunkFailure[];
  readonly explanation?: BlockExplanation;
  /** The time for which ages were computed. */
  readonly createdAt: Date;
}

interface EncodedPatient {
  readonly patient: Types.ObjectId;
  readonly row: EncodedRow;
}

/**
 * Scores patients with one model. One that cannot be scored is a failure of its own; the others go on. Stores nothing.
 * @throws AbortError when the signal is aborted
 */
export type ScoreChunk = (model: RiskModel, patients: readonly ScorablePatient[], explain: boolean, signal: AbortSignal) => Promise<ChunkOutcome>;

export function createChunkScorer(engine: ScoringEngine): ScoreChunk {
  const encoding = new SliceSizer();
  return async (model, patients, explain, signal) => {
    const createdAt = new Date();
    const failures: ChunkFailure[] = [];
    const encoded: EncodedPatient[] = [];
    await encoding.each(patients.length, signal, (start, end) => {
      for (const patient of patients.slice(start, end)) {
        try {
          encoded.push({ patient: patient._id, row: model.encode(modelInputs(model.manifest, patient, createdAt)) });
        } catch (error) {
          if (!(error instanceof InvalidFeaturesError || error instanceof CiphertextError)) throw error;
          failures.push({ patient: patient._id, ...describeFault(error) });
        }
      }
    });
    if (encoded.length === 0) return { rows: [], failures, createdAt };
    const columns = await engine.score({ model, used: usedMatrix(encoded), rowCount: encoded.length, explain }, signal);
    const { explanations } = columns;
    return {
      ...toRows(encoded, columns, failures),
      ...(explanations && { explanation: { method: explanations.method, baseValue: explanations.baseValue } }),
      createdAt,
    };
  };
}

function usedMatrix(encoded: readonly EncodedPatient[]): Float64Array {
  const width = encoded[0]!.row.used.length;
  const matrix = new Float64Array(encoded.length * width);
  encoded.forEach(({ row }, index) => matrix.set(row.used, index * width));
  return matrix;
}

/** One row a patient whose explanation adds up; the others join the failures. */
function toRows(encoded: readonly EncodedPatient[], columns: ScoredColumns, earlier: readonly ChunkFailure[]): Pick<ChunkOutcome, 'rows' | 'failures'> {
  const { rawOutputs, probabilities, explanations } = columns;
  const features = encoded[0]!.row.used.length;
  const width = rowWidth(features, explanations !== undefined);
  const values = new Float64Array(encoded.length * width);
  const failures = [...earlier];
  const rows: PredictionRow[] = [];
  encoded.forEach(({ patient, row }, index) => {
    const explanation = explanations && explanationOf(explanations, index, features);
    const fault = explanation && additivityFault(explanation, { rawOutput: rawOutputs[index]! });
    if (fault) return void failures.push({ patient, ...fault });
    const start = index * width;
    values[start] = rawOutputs[index]!;
    row.given.forEach((value, feature) => (values[start + 1 + feature] = value ?? Number.NaN));
    if (explanation) {
      values[start + 1 + features] = explanation.outputValue;
      values[start + 2 + features] = explanation.additivityError;
      values.set(explanation.contributions, start + 3 + features);
    }
    rows.push({
      number: rows.length,
      patient,
      probability: probabilities[index]!,
      riskBand: riskBands[columns.riskBands[index]!]!,
      values: Buffer.from(values.buffer, start * values.BYTES_PER_ELEMENT, width * values.BYTES_PER_ELEMENT),
    });
  });
  return { rows, failures };
}

function explanationOf({ baseValue, outputValues, additivityErrors, contributions }: ExplainedColumns, index: number, features: number) {
  return {
    baseValue,
    outputValue: outputValues[index]!,
    additivityError: additivityErrors[index]!,
    contributions: contributions.subarray(index * features, (index + 1) * features),
  };
}
