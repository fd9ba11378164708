import type { LegendEntry } from './marks.js';
import type { PlotWords } from './words.js';
import { quantile } from './scale.js';
import { colours, element } from './svg.js';

/** The tone of a point: the value of a feature is low, medium or high among those of all patients, or missing. */
const tones = ['LOW', 'MEDIUM', 'HIGH', 'MISSING'] as const;

/** How points of each tone are painted. A missing value is a ring. */
const toneColours = {
  LOW: { fill: colours.lowers },
  MEDIUM: { fill: colours.muted },
  HIGH: { fill: colours.raises },
  MISSING: { fill: 'none', stroke: colours.muted },
} as const;

/**
 * Gives each value the index of its tone: thirds of the range between the 5th and the 95th percentile, as shap's plots
 * take it, so that outliers do not make all others equal. NaN is missing.
 */
export function tonesOf(values: ArrayLike<number>): Uint8Array {
  const sorted = Float64Array.from(values)
    .filter((value) => !Number.isNaN(value))
    .sort();
  const ends = Array.from(sorted);
  let [low, high] = [quantile(ends, 0.05), quantile(ends, 0.95)];
  if (low === high) [low, high] = [ends[0]!, ends.at(-1)!];
  const third = (high - low) / 3;
  return Uint8Array.from({ length: values.length }, (_, index) => {
    const value = values[index]!;
    if (Number.isNaN(value)) return 3;
    if (third === 0) return 1;
    return value < low + third ? 0 : value <= high - third ? 1 : 2;
  });
}

/** Draws the points of one figure, grouped by tone. */
export function drawPoints(
  points: { readonly x: ArrayLike<number>; readonly y: ArrayLike<number>; readonly tone: ArrayLike<number> },
  radius: number,
): string {
  const drawn = tones.map((): string[] => []);
  for (let index = 0; index < points.x.length; index++)
    drawn[points.tone[index]!]!.push(
      `<circle cx="${points.x[index]!.toFixed(1)}" cy="${points.y[index]!.toFixed(1)}" r="${radius}"/>`,
    );
  return tones
    .map((tone, index) => (drawn[index]!.length === 0 ? '' : element('g', toneColours[tone], drawn[index]!.join(''))))
    .join('');
}

/** The entries of a legend that explains the tones. */
export function toneEntries(words: PlotWords, hasMissing: boolean): LegendEntry[] {
  const texts = [words.low, words.middle, words.high, words.missing];
  return tones.flatMap((tone, index) =>
    tone === 'MISSING' && !hasMissing
      ? []
      : [
          {
            mark: element('circle', { cx: 0, cy: 0, r: 5, ...toneColours[tone] }),
            text: `${words.value}: ${texts[index]!}`,
          },
        ],
  );
}
