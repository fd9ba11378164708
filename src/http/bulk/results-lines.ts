import type { Prediction } from '../../../models/index.js';
import type { Viewer } from '../../auth/viewer.js';
import type { BatchResult } from '../../jobs/batch-results.js';
import { shownValue } from '../../patients/de-identification.js';
import { refuseUnlessAdditive } from '../../predictions/explanation-request.js';
import type { ModelFeature } from '../../risk/manifest.js';

/** UCUM code of a number without a unit. */
const dimensionless = '1';

/**
 * Makes the lines of results, one JSON object each. Values are shown to a viewer as the GraphQL API shows them.
 * @param features the features of the job's model by code; empty when the deployment no longer has it
 */
export function resultLines(
  results: readonly BatchResult[],
  viewer: Viewer,
  features: ReadonlyMap<string, ModelFeature>,
): string {
  return results.map((result) => `${JSON.stringify(lineOf(result, viewer, features))}\n`).join('');
}

function lineOf(
  { row, patient, mrn, outcome }: BatchResult,
  viewer: Viewer,
  features: ReadonlyMap<string, ModelFeature>,
): object {
  const subject = { row, patientId: patient.toHexString(), ...(mrn !== undefined && { mrn }) };
  return 'failure' in outcome
    ? { ...subject, failure: outcome.failure }
    : { ...subject, prediction: shownPrediction(outcome.prediction, viewer, features) };
}

function shownPrediction(prediction: Prediction, viewer: Viewer, features: ReadonlyMap<string, ModelFeature>): object {
  const { _id, createdAt, probability, quantity, unit, classes, rawOutput, riskBand, inputs } = prediction;
  return {
    id: _id.toHexString(),
    createdAt,
    value: probability ?? quantity,
    unit: unit ?? dimensionless,
    probability: probability ?? null,
    ...(classes && { classes: Object.fromEntries(classes.map(({ name, probability: of }) => [name, of])) }),
    rawOutput,
    riskBand,
    inputs: Object.fromEntries(
      Object.entries(inputs).map(([code, value]) => [code, shownValue(code, features.get(code), value, viewer)]),
    ),
    explanation: shownExplanation(prediction),
  };
}

/** The stored explanation. Null without one, and for one that was damaged in the database and does not add up. */
function shownExplanation({ explanation, outputSpace, rawOutput, inputs }: Prediction): object | null {
  if (!explanation) return null;
  try {
    refuseUnlessAdditive(explanation, { rawOutput });
  } catch {
    return null;
  }
  const { method, baseValue, outputValue, additivityError, contributions } = explanation;
  return {
    method,
    outputSpace,
    baseValue,
    outputValue,
    additivityError,
    contributions: Object.fromEntries(Object.keys(inputs).map((code, index) => [code, contributions[index]])),
  };
}
