import { InvalidModelError } from '../errors.js';
import type { RiskModelManifest } from '../manifest.js';
import type { ParsedModel } from '../parse-model.js';
import { outputBounds } from '../trees/output-bounds.js';

/** Room for float32 sums of leaf weights that stand for a probability of exactly 0 or 1. */
const probabilityRoom = 1e-3;

/** Largest logarithm of a float32, the type in which model files compute an exponential. */
const largestLogarithm = 88;

/** Checks that the manifest says what this model puts out. @throws InvalidModelError naming the first mismatch */
export function requireMatchingOutput(manifest: RiskModelManifest, parsed: ParsedModel): void {
  const { outputSpace, outputIndex } = manifest;
  const { outputCount, postTransform } = parsed.ensemble;
  if (outputIndex >= outputCount)
    throw refusal(
      `outputIndex is ${outputIndex} and the model has ${outputCount} output${outputCount === 1 ? '' : 's'}`,
      `choose one from 0 to ${outputCount - 1}`,
    );
  if (manifest.quantity) return requireQuantity(manifest, parsed);
  if (outputSpace === 'PROBABILITY' && (postTransform === 'LOGISTIC' || postTransform === 'SOFTMAX'))
    throw refusal(
      `outputSpace is PROBABILITY, but the trees add up before the model's ${postTransform}`,
      'write LOG_ODDS',
    );
  if (outputSpace === 'LOG_ODDS' && parsed.labels && postTransform === 'NONE' && parsed.weightsAllPositive)
    throw refusal('outputSpace is LOG_ODDS, but the trees add up to the probability itself', 'write PROBABILITY');
  if (outputSpace === 'PROBABILITY' && postTransform === 'NONE' && manifest.calibration.method === 'NONE') {
    const { low, high } = outputBounds(parsed.ensemble, outputIndex);
    if (low < -probabilityRoom || high > 1 + probabilityRoom)
      throw refusal(
        `outputSpace is PROBABILITY, but the trees can add up to ${shown(low)} and to ${shown(high)}`,
        'write LOG_ODDS for the log-odds of a probability; for a quantity write IDENTITY or LOG, and its unit under ' +
          '"quantity"',
      );
  }
}

function requireQuantity({ outputSpace, outputIndex }: RiskModelManifest, parsed: ParsedModel): void {
  const { postTransform } = parsed.ensemble;
  if (parsed.labels)
    throw refusal('it gives a quantity, but the model is a classifier', 'leave out "quantity", or export a regressor');
  const fitting = outputSpace === 'LOG_ODDS' ? ['NONE', 'LOGISTIC'] : ['NONE'];
  if (!fitting.includes(postTransform))
    throw refusal(
      `outputSpace is ${outputSpace}, but the trees add up before the model's ${postTransform}`,
      postTransform === 'LOGISTIC' ? 'write LOG_ODDS' : 'export the model without it',
    );
  if (outputSpace !== 'LOG') return;
  const { high } = outputBounds(parsed.ensemble, outputIndex);
  if (high > largestLogarithm)
    throw refusal(
      `outputSpace is LOG, but the trees can add up to ${shown(high)}, whose exponential is beyond float32`,
      'write IDENTITY when the trees add up to the quantity itself',
    );
}

const refusal = (reason: string, remedy: string): InvalidModelError =>
  new InvalidModelError('manifest.json', reason, remedy);

const shown = (value: number): string => String(Number(value.toPrecision(3)));
