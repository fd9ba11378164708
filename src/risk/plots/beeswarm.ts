/**
 * Draws one point per patient and feature: its place is the SHAP value, its colour the feature's value.
 *
 * 1. The features are sorted by mean |SHAP value|; the largest get a row each.
 * 2. In each row, points that would overlap are stacked up and down in turn.
 * 3. The geometry is computed apart from the drawing, so that a page can draw many points on a canvas.
 */
import { legend, legendHeight, mark } from './marks.js';
import { penOf, type PlotOptions, type PlotTable } from './options.js';
import { rowAxis, rowLayout } from './rows.js';
import { extent, linear, quantile } from './scale.js';
import { colours, decimals, figure, heading, headingBottom } from './svg.js';
import { drawPoints, toneEntries, tonesOf } from './tones.js';

/** One feature of a cohort, one number per patient. */
export interface CohortFeature {
  /** The feature with its unit. */
  readonly label: string;
  /** SHAP values. */
  readonly shap: ArrayLike<number>;
  /** Values of the feature; NaN where it was missing. */
  readonly values: ArrayLike<number>;
}

/** The features of a cohort, and the texts of the figure. */
export interface BeeswarmInput {
  readonly title: string;
  readonly subtitle: string;
  /** The output space, e.g. `log-odds`. */
  readonly space: string;
  readonly features: readonly CohortFeature[];
}

/** Points of one figure in CSS pixels. `tone` is an index: low, medium, high, missing. */
export interface PointGeometry {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly tone: Uint8Array;
}

/** The maximum number of rows. */
const mostRows = 15;
const radius = 2.5;

/** Mean |SHAP value| of a feature. */
export function meanAbsolute(shap: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < shap.length; index++) sum += Math.abs(shap[index]!);
  return shap.length === 0 ? 0 : sum / shap.length;
}

/** Computes where each point of a beeswarm is. The rows have the order of `features`. */
export function beeswarmGeometry(input: BeeswarmInput, options: PlotOptions = {}) {
  const pen = penOf(options);
  const features = [...input.features]
    .map((feature) => ({ ...feature, size: meanAbsolute(feature.shap) }))
    .sort((left, right) => right.size - left.size);
  const shown = features.slice(0, mostRows);
  const hasMissing = shown.some(({ values }) => Array.from(values).some(Number.isNaN));
  const entries = toneEntries(pen.words, hasMissing);
  const layout = rowLayout({
    width: pen.width,
    names: shown,
    band: 40,
    top: headingBottom(input.title, input.subtitle, pen.width) + 12,
    below: 60 + legendHeight(entries, pen.width),
    right: 24,
  });
  const [low, high] = extent([0, ...shown.flatMap(({ shap }) => [...extent(Array.from(shap))])], 0.04);
  const scale = linear([low, high], [layout.left, layout.right]);
  const rows = shown.map(({ shap, values }, row): PointGeometry => {
    const x = Float64Array.from(shap, scale);
    return { x, y: stacked(x, layout.middle(row), layout.band / 2 - radius), tone: tonesOf(values) };
  });
  return { layout, scale, features: shown, left: features.length - shown.length, rows, radius, entries };
}

/** Stacks points that share a place: the first in the middle, the next below it, then above it, and so on. */
function stacked(x: Float64Array, middle: number, most: number): Float64Array {
  const places = Float64Array.from(x, (value) => Math.round(value / (2 * radius)));
  const counts = new Map<number, number>();
  for (const place of places) counts.set(place, (counts.get(place) ?? 0) + 1);
  const highest = Math.max(1, ...counts.values());
  const step = Math.min(2 * radius, most / Math.max(1, Math.ceil((highest - 1) / 2)));
  counts.clear();
  return places.map((place) => {
    const before = counts.get(place) ?? 0;
    counts.set(place, before + 1);
    return middle + (before % 2 === 0 ? -1 : 1) * Math.ceil(before / 2) * step;
  });
}

/**
 * Draws a beeswarm.
 * @param withPoints false leaves the points out: the page draws those of `beeswarmGeometry` on a canvas below the figure
 */
export function renderBeeswarm(input: BeeswarmInput, options: PlotOptions & { readonly withPoints?: boolean } = {}) {
  const pen = penOf(options);
  const { layout, scale, features, left, rows, radius: size, entries } = beeswarmGeometry(input, options);
  const places = decimals(scale.high - scale.low);
  const told = features.map(
    (feature) => `${feature.label}: ${pen.words.meanAbsolute(input.space)} ${pen.number(feature.size, places)}`,
  );
  return figure(
    layout.width,
    layout.height,
    input.title,
    `${input.subtitle} ${told.map((text) => `${text}.`).join(' ')}`,
    heading(input.title, input.subtitle + (left > 0 ? ` ${pen.words.notShown(left)}` : ''), layout.width) +
      rowAxis(layout, scale, {
        label: pen.words.contributionIn(input.space),
        text: (value) => pen.tick(value, Math.max(1, places - 1)),
      }) +
      features
        .map(
          (_, row) =>
            layout.names(row) + mark(told[row]!, options.withPoints === false ? '' : drawPoints(rows[row]!, size)),
        )
        .join('') +
      legend(entries, { width: layout.width, y: layout.bottom + 66 }),
    options.withPoints === false ? 'none' : colours.background,
  );
}

/** The spread of the SHAP values of each feature, as a table. */
export function beeswarmTable(input: BeeswarmInput, options: PlotOptions = {}): PlotTable {
  const pen = penOf(options);
  const { words } = pen;
  const rows = input.features
    .map(({ label, shap }) => ({ label, size: meanAbsolute(shap), sorted: Array.from(shap).sort((a, b) => a - b) }))
    .sort((left, right) => right.size - left.size);
  const [low, high] = extent(rows.flatMap(({ sorted }) => [sorted[0] ?? 0, sorted.at(-1) ?? 0]));
  const places = decimals(high - low || 1);
  return {
    caption: `${input.title}. ${words.contributionIn(input.space)}`,
    columns: [words.feature, words.meanAbsolute(input.space), words.low, words.median, words.high],
    rows: rows.map(({ label, size, sorted }) => [
      label,
      pen.number(size, places),
      ...[0, 0.5, 1].map((share) => (sorted.length === 0 ? '' : pen.signed(quantile(sorted, share), places))),
    ]),
  };
}
