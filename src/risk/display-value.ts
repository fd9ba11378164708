import { formatNumber, unitSuffix } from './feature-value.js';
import type { ModelFeature } from './manifest.js';

/**
 * Writes a value as a reader expects it: `145 mm Hg`, `asymptomatic`, `missing (taken as 240 mg/dL)`.
 * @param given null when missing
 */
export function displayValue(feature: ModelFeature, given: number | null): string {
  if (given !== null) return displayPresent(feature, given);
  switch (feature.missing.policy) {
    case 'IMPUTE':
      return `missing (taken as ${displayPresent(feature, feature.missing.value)})`;
    case 'NATIVE':
      return 'missing';
    case 'REQUIRED':
      return 'missing (required)';
  }
}

function displayPresent(feature: ModelFeature, value: number): string {
  const label = feature.codes?.find((code) => code.value === value)?.label;
  return label ?? `${formatNumber(value)}${unitSuffix(feature)}`;
}
