import type { ModelFeature } from './manifest.js';

/** A number as a person writes it: at most 6 significant digits, no exponent where it can be helped. */
export function formatNumber(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** `between 80 and 250 mm Hg`, `0 (female) or 1 (male)`: what a feature may be, with its unit. */
function allowedValues(feature: ModelFeature): string {
  if (feature.codes) {
    const codes = feature.codes.map(({ value, label }) => `${formatNumber(value)} (${label})`);
    return codes.length > 1 ? `${codes.slice(0, -1).join(', ')} or ${codes.at(-1)}` : codes.join('');
  }
  const { min, max } = feature.range!;
  return `between ${formatNumber(min)} and ${formatNumber(max)}${unitSuffix(feature)}`;
}

/** A blank and the unit as read, or nothing where there is none to show. */
export function unitSuffix(feature: ModelFeature): string {
  return feature.unitLabel === '' ? '' : ` ${feature.unitLabel}`;
}

/**
 * The issue with a value that is present, e.g. `must be between 80 and 250 mm Hg`; undefined when there is none.
 * Names the unit and what is allowed, never the value.
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
