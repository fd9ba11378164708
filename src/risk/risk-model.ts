import type { ModelFeature, RiskBand, RiskModelManifest } from './manifest.js';

/** Values by feature code, in the unit of the manifest. Absent or null is missing. */
export type FeatureValues = Readonly<Record<string, number | null | undefined>>;

export type ShapMethod = 'PATH_DEPENDENT' | 'INTERVENTIONAL';
export type OutputSpace = RiskModelManifest['outputSpace'];

/** One thing wrong with the values given. `message` names unit and allowed range, never the value itself. */
export interface FeatureIssue {
  readonly code: string;
  readonly message: string;
}

/** Thrown by `encode`: every issue at once. Holds no values, so that it may be logged. */
export class InvalidFeaturesError extends Error {
  override readonly name = 'InvalidFeaturesError';
  constructor(readonly issues: readonly FeatureIssue[]) {
    super(issues.map((issue) => `${issue.code}: ${issue.message}`).join('; '));
  }
}

/** One patient as the model sees them, in the order of `manifest.features`. */
export interface EncodedRow {
  /** As given; null where missing. */
  readonly given: readonly (number | null)[];
  /** As fed to the model, after imputation; NaN where the model takes missing values itself. */
  readonly used: Float64Array;
}

/** Many patients as the model sees them. */
export interface EncodedRows {
  /** Row-major, rows x features, as `EncodedRow.used`. */
  readonly used: Float64Array;
  /** Rows that the model does not take, and why. What `used` holds for them means nothing. */
  readonly refused: ReadonlyMap<number, InvalidFeaturesError>;
}

/** The part of a row that the engine works on. */
export type UsedRow = Pick<EncodedRow, 'used'>;

export interface Score {
  /** The model's own output in `manifest.outputSpace`, before calibration (float64 sum over the trees). */
  readonly rawOutput: number;
  /** Calibrated, within [0, 1]. */
  readonly probability: number;
  readonly riskBand: RiskBand;
}

/** SHAP values of one row for the model's risk output: baseValue + sum(contributions) = outputValue. */
export interface RowExplanation {
  readonly method: ShapMethod;
  readonly outputSpace: OutputSpace;
  readonly baseValue: number;
  readonly outputValue: number;
  /** In the order of `manifest.features`. */
  readonly contributions: Float64Array;
  /** |baseValue + sum(contributions) - outputValue| */
  readonly additivityError: number;
}

/** A verified risk model, ready to score. Safe to share between callers; holds one ONNX Runtime session. */
export interface RiskModel {
  readonly manifest: RiskModelManifest;
  /** SHA-256 of model.onnx, lower-case hex. */
  readonly sha256: string;
  /** MODEL_CARD.md as written. */
  readonly card: string;
  /** Methods this bundle can explain with, the default first. Never empty. */
  readonly shapMethods: readonly ShapMethod[];
  /** Validates and encodes. @throws InvalidFeaturesError naming every unknown code, bad value and missing required feature. */
  encode(values: FeatureValues): EncodedRow;
  /**
   * As `encode`, for many rows.
   * @param given row-major, rows x features, in the order of `manifest.features`; NaN where missing
   */
  encodeRows(given: Float64Array): EncodedRows;
  /** Probabilities by ONNX Runtime, checked against the parsed trees. Any number of rows; yields to the event loop between slices; stops when aborted. */
  score(rows: readonly UsedRow[], signal?: AbortSignal): Promise<Score[]>;
  /** Exact SHAP values. Same slicing and abort behaviour as `score`. */
  explain(rows: readonly UsedRow[], method?: ShapMethod, signal?: AbortSignal): Promise<RowExplanation[]>;
  /** How a person reads a value: `145 mm Hg`, `asymptomatic`, `missing (taken as 240 mg/dL)`. */
  displayValue(feature: ModelFeature, given: number | null): string;
  close(): Promise<void>;
}

/** The models a process serves, by id and version. */
export interface RiskModelRegistry {
  list(): readonly RiskModel[];
  /** The given version, or the highest one. */
  find(id: string, version?: string): RiskModel | undefined;
  close(): Promise<void>;
}
