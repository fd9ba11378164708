import type { FeatureValueInput } from '../../generated/graphql.js';
import type { Feature } from './values.js';

/** Values that the user tries, by code. Null stands for a missing value. */
export type Changes = Readonly<Record<string, number | null>>;

/** Sets a value. One that is as it was leaves no change. */
export function withChange(
  changes: Changes,
  code: string,
  value: number | null,
  original: number | null | undefined,
): Changes {
  const { [code]: _, ...others } = changes;
  return value === original ? others : { ...others, [code]: value };
}

/** Writes the changes as `simulateRisk` takes them. */
export const toFeatures = (changes: Changes): FeatureValueInput[] =>
  Object.entries(changes).map(([code, value]) => ({ code, value }));

/** Chooses a round step of a slider: about a hundredth of the range, and 1 for counts. */
export function sliderStep({ kind, range }: Pick<Feature, 'kind' | 'range'>): number {
  if (kind === 'COUNT' || !range) return 1;
  const span = range.max - range.min;
  return span > 0 ? Number((10 ** Math.floor(Math.log10(span / 100))).toPrecision(1)) : 1;
}

/** Chooses where a slider without a value begins: the value that the model takes for a missing one, else the middle. */
export function sliderStart({ range, missing }: Pick<Feature, 'range' | 'missing'>): number {
  if (missing.value != null) return missing.value;
  return range ? Math.round((range.min + range.max) / 2) : 0;
}
