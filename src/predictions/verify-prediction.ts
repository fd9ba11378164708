import type { Prediction } from '../../models/index.js';
import { InvalidFeaturesError, type EncodedRow, type RiskModel } from '../risk/risk-model.js';
import { toStoredExplanation } from './explanation.js';
import { defined } from '../process/defined.js';

/** What came of computing a stored prediction once more. */
export interface PredictionVerification {
  /** Whether every bit agrees. False as well when it could not be computed. */
  readonly agrees: boolean;
  /** Whether the very model that scored, by its SHA-256, is served, so that anything could be computed at all. */
  readonly modelServed: boolean;
  readonly modelSha256: string;
  /** Names of the fields that differ, e.g. `explanation.contributions[3]`. */
  readonly differences: readonly string[];
}

/**
 * Computes a prediction again from its inputs as stored and the model that it names, and compares every number bit by
 * bit: of two zeros with different signs one is not the other.
 * @param model the model served under that name and version, if any
 */
export async function verifyPrediction(
  prediction: Prediction,
  model: RiskModel | undefined,
): Promise<PredictionVerification> {
  const { modelSha256 } = prediction;
  if (model?.sha256 !== modelSha256) return { agrees: false, modelServed: false, modelSha256, differences: [] };
  const row = encodeAgain(prediction, model);
  if (!row) return { agrees: false, modelServed: true, modelSha256, differences: ['inputs'] };
  // A method that there is not was written by nobody here: it differs from that of the model's own.
  const method = model.shapMethods.find((known) => known === prediction.explanation?.method);
  const [[score], explanations] = await Promise.all([
    model.score([row]),
    prediction.explanation ? model.explain([row], method) : [],
  ]);
  const recomputed = defined({
    rawOutput: score!.rawOutput,
    probability: score!.probability,
    riskBand: score!.riskBand,
    outputSpace: model.manifest.outputSpace,
    explanation: explanations[0] && toStoredExplanation(explanations[0]),
  });
  const { rawOutput, probability, riskBand, outputSpace, explanation } = prediction;
  const stored = defined({ rawOutput, probability, riskBand, outputSpace, explanation });
  const differences = differingPaths(stored, recomputed);
  return { agrees: differences.length === 0, modelServed: true, modelSha256, differences };
}

/** Null when the inputs are gone, or the manifest no longer takes what it took: the SHA-256 is that of the model alone. */
function encodeAgain({ inputs }: Prediction, model: RiskModel): EncodedRow | null {
  if (!isObject(inputs)) return null;
  try {
    return model.encode(inputs);
  } catch (error) {
    if (error instanceof InvalidFeaturesError) return null;
    throw error;
  }
}

/** Paths at which two values differ, numbers by their bits. */
function differingPaths(stored: unknown, recomputed: unknown, path = ''): string[] {
  if (!isObject(stored) || !isObject(recomputed)) return Object.is(stored, recomputed) ? [] : [path];
  const keys = [...new Set([...Object.keys(stored), ...Object.keys(recomputed)])];
  return keys.flatMap((key) =>
    differingPaths(
      stored[key],
      recomputed[key],
      Array.isArray(stored) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`,
    ),
  );
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
