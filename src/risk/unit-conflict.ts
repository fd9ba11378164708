import { InvalidModelError } from './errors.js';
import type { RiskModelManifest } from './manifest.js';
import { versionName } from './model-name.js';

/**
 * Checks that a model gives no feature code another unit than the other models do: a patient's stored number would be
 * ambiguous.
 * @throws InvalidModelError naming the feature
 */
export function requireSameUnits(manifest: RiskModelManifest, others: readonly RiskModelManifest[]): void {
  const units = new Map(others.flatMap(({ features }) => features.map(({ code, unit }) => [code, unit])));
  const other = manifest.features.find(({ code, unit }) => (units.get(code) ?? unit) !== unit);
  if (!other) return;
  throw new InvalidModelError(
    `risk model ${versionName(manifest.id, manifest.version)}`,
    `feature "${other.code}" is in ${other.unit}, but in ${units.get(other.code)} in another model served`,
    'give one of them another code',
  );
}
