import type { PredictionFieldsFragment } from '../../src/client/generated/graphql.js';
import type { FlaskPrediction } from './flask.js';

/** Largest difference that may be: the house's tolerance for probability and contributions. */
const tolerance = 1e-6;

/**
 * Compares the predictions of the same patients.
 * @returns the largest differences in words
 * @throws Error when one is above the tolerance, or a risk band differs
 */
export function agreement(ours: readonly PredictionFieldsFragment[], theirs: readonly FlaskPrediction[]): string {
  let [probability, contribution] = [0, 0];
  ours.forEach((own, index) => {
    const peer = theirs[index]!;
    probability = Math.max(probability, Math.abs(own.probability! - peer.probability));
    const values = new Map(peer.explanation.contributions.map(({ feature, value }) => [feature.code, value]));
    for (const { feature, value } of own.explanation!.contributions)
      contribution = Math.max(contribution, Math.abs(value - (values.get(feature.code) ?? NaN)));
    if (own.riskBand !== peer.riskBand) throw new Error(`patient ${index}: ${own.riskBand}, the peer ${peer.riskBand}`);
  });
  const found =
    `${ours.length} patients: probabilities differ by at most ${probability.toExponential(1)}, contributions by ` +
    contribution.toExponential(1);
  if (!(probability <= tolerance && contribution <= tolerance)) throw new Error(`the peers do not agree: ${found}`);
  return found;
}
