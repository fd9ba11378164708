import type { ModelFeature, RiskModelManifest } from './manifest.js';
import type { OutputSpace, RiskBand } from './output-schema.js';

/** Values by feature code, in the unit of the manifest. An absent or null value is missing. */
export type FeatureValues = Readonly<Record<string, number | null | undefined>>;

export type ShapMethod = 'PATH_DEPENDENT' | 'INTERVENTIONAL';

/** One issue with the given values. `message` names unit and allowed range, never the value itself. */
export interface FeatureIssue {
  readonly code: string;
  readonly message: string;
}

/** Thrown by `encode` with every issue. It holds no values, so it may be logged. */
export class InvalidFeaturesError extends Error {
  override readonly name = 'InvalidFeaturesError';
  constructor(readonly issues: readonly FeatureIssue[]) {
    super(issues.map((issue) => `${issue.code}: ${issue.message}`).join('; '));
  }
}

/** The encoded values of one patient, in the order of `manifest.features`. */
export interface EncodedRow {
  /** The given values; null where missing. */
  readonly given: readonly (number | null)[];
  /** The values for the model, after imputation; NaN where the model handles missing values itself. */
  readonly used: Float64Array;
}

/** The encoded values of many patients. */
export interface EncodedRows {
  /** Row-major, rows x features, as `EncodedRow.used`. */
  readonly used: Float64Array;
  /** Refused rows, each with its issues. Their values in `used` have no meaning. */
  readonly refused: ReadonlyMap<number, InvalidFeaturesError>;
}

/** The part of a row that scoring and explaining need. */
export type UsedRow = Pick<EncodedRow, 'used'>;

export interface Score {
  /** The model's own output in `manifest.outputSpace`, before calibration (float64 sum over the trees). */
  readonly rawOutput: number;
  /** The calibrated probability, within [0, 1]. Absent when the model gives a quantity. */
  readonly probability?: number;
  /** The quantity in the manifest's unit. Absent when the model gives a probability. */
  readonly quantity?: number;
  readonly riskBand: RiskBand;
  /** Absent when the manifest names no classes. */
  readonly classes?: ClassScores;
}

/** The scores of all classes, in the order of `manifest.classes`. */
export interface ClassScores {
  /** As `Score.rawOutput`, for each class. */
  readonly rawOutputs: readonly number[];
  /** They add up to 1, but for what float32 loses. */
  readonly probabilities: readonly number[];
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

/** A verified risk model, ready to score. Callers may share it. It holds one ONNX Runtime session. */
export interface RiskModel {
  readonly manifest: RiskModelManifest;
  /** SHA-256 of model.onnx, lower-case hex. */
  readonly sha256: string;
  /** MODEL_CARD.md as written. */
  readonly card: string;
  /** Methods by which this bundle can be explained, the default first. Never empty. */
  readonly shapMethods: readonly ShapMethod[];
  /**
   * Validates and encodes.
   * @throws InvalidFeaturesError naming every unknown code, bad value and missing required feature.
   */
  encode(values: FeatureValues): EncodedRow;
  /**
   * Encodes many rows as `encode` does.
   * @param given row-major, rows x features, in the order of `manifest.features`; NaN where missing
   */
  encodeRows(given: Float64Array): EncodedRows;
  /**
   * Computes scores with ONNX Runtime, and checks them against the parsed trees. It takes any number of rows,
   * yields to the event loop between slices, and stops when aborted.
   */
  score(rows: readonly UsedRow[], signal?: AbortSignal): Promise<Score[]>;
  /** Computes exact SHAP values. It yields and stops as `score` does. */
  explain(rows: readonly UsedRow[], method?: ShapMethod, signal?: AbortSignal): Promise<RowExplanation[]>;
  /**
   * Computes exact SHAP values of every class, in the order of `manifest.classes`. It yields and stops as `score` does.
   * @throws UnexplainableModelError when the manifest names no classes
   */
  explainClasses(rows: readonly UsedRow[], method?: ShapMethod, signal?: AbortSignal): Promise<RowExplanation[][]>;
  /** Writes a value as a reader expects it: `145 mm Hg`, `asymptomatic`, `missing (taken as 240 mg/dL)`. */
  displayValue(feature: ModelFeature, given: number | null): string;
  close(): Promise<void>;
}

/** The state of one version of a model in the deployment. */
export interface ModelState {
  /** Tells whether a job that names no version gets this one. */
  readonly isDefault: boolean;
  /** Absent while the version is offered for new jobs. */
  readonly retiredAt?: Date;
}

/** The models a process knows, by id and version. A retired version is known, and is not offered for new jobs. */
export interface RiskModelRegistry {
  /** The versions that are offered: ids in their order, the highest version of each first. */
  list(): readonly RiskModel[];
  /** Returns the given version of a model if it is offered; the default one when `version` is undefined. */
  find(id: string, version?: string): RiskModel | undefined;
  /**
   * Returns exactly the given version, also a retired one, which may have to be loaded first. Stored results are
   * explained and verified with it.
   */
  load(id: string, version: string): Promise<RiskModel | undefined>;
  /** The manifests of all known versions, also of those that are not loaded. */
  manifests(): readonly RiskModelManifest[];
  /** The manifest of a known version. */
  manifest(id: string, version: string): RiskModelManifest | undefined;
  state(id: string, version: string): ModelState;
  close(): Promise<void>;
}
