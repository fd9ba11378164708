import type { Prediction } from '../../models/index.js';
import { InvalidFeaturesError, type EncodedRow, type RiskModel } from '../risk/risk-model.js';
import { classesOf, unitOf } from './answer.js';
import { additivityFailure, toStoredExplanation } from './explanation.js';
import { defined } from '../process/defined.js';

/** The result of computing a stored prediction again. */
export interface PredictionVerification {
  /**
   * Tells whether every bit agrees. It is false also when the prediction could not be computed again, or its
   * explanation does not add up.
   */
  readonly agrees: boolean;
  /** Tells whether exactly the model that scored (same SHA-256) is served. If not, nothing can be computed. */
  readonly modelServed: boolean;
  readonly modelSha256: string;
  /** Names of the fields that differ, e.g. `explanation.contributions[3]`. */
  readonly differences: readonly string[];
}

/** The field that is named when an explanation does not add up, whatever is stored. */
const notAdditive = 'explanation.additivityError';

/**
 * Computes a prediction again from its stored inputs and the model that it names. Every number is compared bit by bit,
 * so 0 and -0 differ.
 * @param model the model with that id and version, if there is one
 */
export async function verifyPrediction(
  prediction: Prediction,
  model: RiskModel | undefined,
): Promise<PredictionVerification> {
  const { modelSha256 } = prediction;
  if (model?.sha256 !== modelSha256) return { agrees: false, modelServed: false, modelSha256, differences: [] };
  const row = encodeAgain(prediction, model);
  if (!row) return { agrees: false, modelServed: true, modelSha256, differences: ['inputs'] };
  // RiskGraph never stores an unknown method. If there is one, the model's own method is used, and the two differ.
  const method = model.shapMethods.find((known) => known === prediction.explanation?.method);
  const [[score], explanations] = await Promise.all([
    model.score([row]),
    prediction.explanation ? model.explain([row], method) : [],
  ]);
  const recomputed = defined({
    rawOutput: score!.rawOutput,
    probability: score!.probability,
    quantity: score!.quantity,
    ...unitOf(model.manifest),
    ...classesOf(model.manifest, score!.classes),
    riskBand: score!.riskBand,
    outputSpace: model.manifest.outputSpace,
    explanation: explanations[0] && toStoredExplanation(explanations[0]),
  });
  const { rawOutput, probability, quantity, unit, classes, riskBand, outputSpace, explanation } = prediction;
  const stored = defined({ rawOutput, probability, quantity, unit, classes, riskBand, outputSpace, explanation });
  const differences = differingPaths(stored, recomputed);
  // Equal bits of a wrong explanation prove nothing.
  const failure = explanations[0] && additivityFailure(explanations[0], score!);
  if (failure && !differences.includes(notAdditive)) differences.push(notAdditive);
  return { agrees: differences.length === 0, modelServed: true, modelSha256, differences };
}

/**
 * Encodes the stored inputs. The SHA-256 covers the model only, so its manifest may have changed.
 * @returns null when the inputs are missing, or the manifest no longer accepts them
 */
function encodeAgain({ inputs }: Prediction, model: RiskModel): EncodedRow | null {
  if (!isObject(inputs)) return null;
  try {
    return model.encode(inputs);
  } catch (error) {
    if (error instanceof InvalidFeaturesError) return null;
    throw error;
  }
}

/** Paths at which two values differ. Numbers are compared by their bits. */
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
