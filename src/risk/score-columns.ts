import { riskBands } from './output-schema.js';
import type { RiskModel, ShapMethod } from './risk-model.js';

/** Scores of many rows as columns. One thread can transfer them to another without a copy. */
export interface ScoredColumns {
  readonly rawOutputs: Float64Array;
  /** Probabilities, or quantities when the manifest has a `quantity`. */
  readonly answers: Float64Array;
  /** Positions in `riskBands`. */
  readonly riskBands: Uint8Array;
  /** Absent when the manifest names no classes. */
  readonly classes?: ClassColumns;
  /** Absent when the caller asked for no explanations. */
  readonly explanations?: ExplainedColumns;
  /** Time of both steps, seconds. */
  readonly seconds: { readonly scoring: number; readonly explaining: number };
}

/** Scores of all classes. Row-major, rows x classes; see `ClassScores`. */
export interface ClassColumns {
  readonly rawOutputs: Float64Array;
  readonly probabilities: Float64Array;
}

/** SHAP values of many rows; see `RowExplanation`. */
export interface ExplainedColumns {
  readonly method: ShapMethod;
  readonly baseValue: number;
  readonly outputValues: Float64Array;
  readonly additivityErrors: Float64Array;
  /** Row-major, rows x features. */
  readonly contributions: Float64Array;
}

/**
 * Scores rows, and explains them with the model's default method.
 * @param used row-major, rowCount x features, as `EncodedRow.used`
 * @throws the signal's reason when it is aborted
 */
export async function scoreColumns(
  model: RiskModel,
  used: Float64Array,
  rowCount: number,
  explain: boolean,
  signal?: AbortSignal,
): Promise<ScoredColumns> {
  const width = model.manifest.features.length;
  const rows = Array.from({ length: rowCount }, (_, row) => ({ used: used.subarray(row * width, (row + 1) * width) }));
  const begun = performance.now();
  const scores = await model.score(rows, signal);
  const scored = performance.now();
  const scoring = (scored - begun) / 1_000;
  const columns: ScoredColumns = {
    seconds: { scoring, explaining: 0 },
    rawOutputs: Float64Array.from(scores, ({ rawOutput }) => rawOutput),
    answers: Float64Array.from(scores, ({ probability, quantity }) => probability ?? quantity!),
    riskBands: Uint8Array.from(scores, ({ riskBand }) => riskBands.indexOf(riskBand)),
    ...(model.manifest.classes && {
      classes: {
        rawOutputs: Float64Array.from(scores.flatMap(({ classes }) => classes!.rawOutputs)),
        probabilities: Float64Array.from(scores.flatMap(({ classes }) => classes!.probabilities)),
      },
    }),
  };
  if (!explain || rowCount === 0) return columns;
  const explained = await model.explain(rows, undefined, signal);
  const explaining = (performance.now() - scored) / 1_000;
  const contributions = new Float64Array(rowCount * width);
  explained.forEach((explanation, row) => contributions.set(explanation.contributions, row * width));
  return {
    ...columns,
    seconds: { scoring, explaining },
    explanations: {
      method: explained[0]!.method,
      baseValue: explained[0]!.baseValue,
      outputValues: Float64Array.from(explained, ({ outputValue }) => outputValue),
      additivityErrors: Float64Array.from(explained, ({ additivityError }) => additivityError),
      contributions,
    },
  };
}
