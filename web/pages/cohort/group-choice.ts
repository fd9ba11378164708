import type { RiskBand } from '../../generated/graphql.js';
import type { CohortData, CohortModel } from './cohort-data.js';

/** The ways to split a cohort in two: by band, by two codes of a feature, or by a threshold. */
export type Split =
  | { readonly by: 'band'; readonly bands: readonly [string, string] }
  | { readonly by: 'codes'; readonly code: string; readonly values: readonly [number, number] }
  | { readonly by: 'threshold'; readonly code: string; readonly at: number };

/** Stands for all bands but the first one. */
export const allOthers = 'OTHERS';

/**
 * Reads the split that the address names. What it leaves out has a default: the highest band against all others, the
 * two most frequent codes, the median.
 */
export function splitOf(query: URLSearchParams, model: CohortModel, { bands, inputs }: CohortData): Split {
  const by = query.get('split') ?? 'band';
  const [first, second] = [query.get('first'), query.get('second')];
  const feature = model.features.find(({ code }) => code === by);
  if (!feature) {
    const highest = [...model.riskBands].reverse().find(({ band }) => bands.includes(band))?.band;
    return { by: 'band', bands: [first ?? highest ?? 'HIGH', second ?? allOthers] };
  }
  const values = inputs.get(feature.code)!.filter((value) => !Number.isNaN(value));
  if (feature.codes) {
    const count = (code: number): number => values.filter((value) => value === code).length;
    const frequent = feature.codes.map(({ value }) => value).sort((left, right) => count(right) - count(left));
    const chosen = (text: string | null, fallback: number): number =>
      text !== null && feature.codes!.some(({ value }) => value === Number(text)) ? Number(text) : fallback;
    return { by: 'codes', code: by, values: [chosen(first, frequent[0]!), chosen(second, frequent[1]!)] };
  }
  const sorted = values.sort((left, right) => left - right);
  const given = Number.parseFloat(query.get('at') ?? '');
  return {
    by: 'threshold',
    code: by,
    at: Number.isFinite(given) ? given : (sorted[Math.floor((sorted.length - 1) / 2)] ?? 0),
  };
}

/** The indices of the patients of both groups. A patient with a missing value is in none. */
export function groupsOf(split: Split, { bands, inputs, values }: CohortData): [number[], number[]] {
  const all = values.map((_, index) => index);
  switch (split.by) {
    case 'band': {
      const [first, second] = split.bands;
      return [
        all.filter((index) => bands[index] === first),
        all.filter((index) => (second === allOthers ? bands[index] !== first : bands[index] === second)),
      ];
    }
    case 'codes': {
      const own = inputs.get(split.code)!;
      const [first, second] = split.values;
      return [all.filter((index) => own[index] === first), all.filter((index) => own[index] === second)];
    }
    case 'threshold': {
      const own = inputs.get(split.code)!;
      return [all.filter((index) => own[index]! <= split.at), all.filter((index) => own[index]! > split.at)];
    }
  }
}

/** Tells whether a text of the address is a band. */
export const isBand = (text: string, model: CohortModel): text is RiskBand =>
  model.riskBands.some(({ band }) => band === text);
