import type { ModelFeature } from './manifest.js';

/** Formats a number for a reader: at most 6 significant digits, and no exponent if possible. */
export function formatNumber(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** Describes the allowed values of a feature with its unit: `between 80 and 250 mm Hg`, `0 (female) or 1 (male)`. */
function allowedValues(feature: ModelFeature): string {
  if (feature.codes) {
    const codes = feature.codes.map(({ value, label }) => `${formatNumber(value)} (${label})`);
    return codes.length > 1 ? `${codes.slice(0, -1).join(', ')} or ${codes.at(-1)}` : codes.join('');
  }
  const { min, max } = feature.range!;
  return `between ${formatNumber(min)} and ${formatNumber(max)}${unitSuffix(feature)}`;
}

/** Returns a blank and the unit's label; the empty string when there is no label. */
export function unitSuffix({ unitLabel }: Pick<ModelFeature, 'unitLabel'>): string {
  return unitLabel === '' ? '' : ` ${unitLabel}`;
}

/**
 * Describes the issue with a present value, e.g. `must be between 80 and 250 mm Hg`; undefined when there is none.
 * It names the unit and the allowed values, never the value itself.
 */
export function featureValueIssue(feature: ModelFeature, value: number): string | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return `must be a finite number, ${allowedValues(feature)}`;
  if (feature.codes)
    return feature.codes.some((code) => code.value === value) ? undefined : `must be ${allowedValues(feature)}`;
  const { min, max } = feature.range!;
  if (value < min || value > max) return `must be ${allowedValues(feature)}`;
  if (feature.kind === 'COUNT' && !Number.isInteger(value)) return `must be a whole number, ${allowedValues(feature)}`;
  return undefined;
}
