import { legend, legendHeight, mark, shape } from './marks.js';
import { penOf, type PlotOptions, type PlotTable } from './options.js';
import { rowAxis, rowLayout } from './rows.js';
import { extent, linear } from './scale.js';
import { colours, decimals, element, figure, heading, headingBottom } from './svg.js';

/** The mean contributions of two groups of patients, and the texts of the figure. */
interface ComparisonInput {
  readonly title: string;
  readonly subtitle: string;
  readonly space: string;
  /** Names of the groups with their sizes. */
  readonly groups: readonly [string, string];
  /** Mean SHAP values of both groups. */
  readonly features: readonly { readonly label: string; readonly means: readonly [number, number] }[];
}

/** The maximum number of rows. */
const mostRows = 15;

const paints = [
  { fill: colours.lowers, stroke: colours.lowers },
  { fill: colours.background, stroke: colours.raises, 'stroke-width': 2 },
] as const;

/** Draws the mean contributions of two groups side by side: a disc for the first, an open diamond for the second. */
export function renderComparison(input: ComparisonInput, options: PlotOptions = {}): string {
  const pen = penOf(options);
  const { words } = pen;
  const sorted = widestFirst(input.features);
  const shown = sorted.slice(0, mostRows);
  const rest = sorted.length > shown.length ? ` ${words.notShown(sorted.length - shown.length)}` : '';
  const subtitle = (shown.length === 0 ? words.nothing : input.subtitle) + rest;
  const entries = input.groups.map((name, index) => ({ mark: shape(index * 2, 0, 0, paints[index]!), text: name }));
  const layout = rowLayout({
    width: pen.width,
    names: shown,
    band: 34,
    top: headingBottom(input.title, subtitle, pen.width) + 12,
    below: 56 + legendHeight(entries, pen.width),
    right: 32,
  });
  const scale = linear(extent([0, ...shown.flatMap(({ means }) => means)], 0.06), [layout.left, layout.right]);
  const places = decimals(scale.high - scale.low);
  const told = shown.map(
    ({ label, means }) =>
      `${label}: ${input.groups.map((name, index) => `${name} ${pen.signed(means[index]!, places)}`).join(', ')}; ` +
      `${words.difference} ${pen.signed(means[1] - means[0], places)}`,
  );
  const rows = shown.map(({ means }, index) => {
    const y = layout.middle(index);
    const [first, second] = [scale(means[0]), scale(means[1])];
    return (
      layout.names(index) +
      mark(
        told[index]!,
        element('line', { x1: first, x2: second, y1: y, y2: y, stroke: colours.muted, 'stroke-width': 2 }) +
          shape(0, first, y, paints[0]) +
          shape(2, second, y, paints[1]),
      )
    );
  });
  return figure(
    layout.width,
    layout.height,
    input.title,
    told.length === 0 ? subtitle : told.map((line) => `${line}.`).join(' '),
    heading(input.title, subtitle, layout.width) +
      rowAxis(layout, scale, {
        label: `${words.mean}, ${words.contributionIn(input.space)}`,
        text: (value) => pen.tick(value, Math.max(1, places - 1)),
      }) +
      rows.join('') +
      legend(entries, { width: layout.width, y: layout.bottom + 62 }),
  );
}

function widestFirst(features: ComparisonInput['features']) {
  const gap = ({ means }: ComparisonInput['features'][number]): number => Math.abs(means[1] - means[0]);
  return [...features].sort((left, right) => gap(right) - gap(left));
}

/** The means of both groups as a table, the widest difference first. */
export function comparisonTable(input: ComparisonInput, options: PlotOptions = {}): PlotTable {
  const pen = penOf(options);
  const { words } = pen;
  const [low, high] = extent(input.features.flatMap(({ means }) => means));
  const places = decimals(high - low || 1);
  return {
    caption: `${input.title}. ${words.mean}, ${words.contributionIn(input.space)}`,
    columns: [words.feature, ...input.groups, words.difference],
    rows: widestFirst(input.features).map(({ label, means }) => [
      label,
      ...means.map((value) => pen.signed(value, places)),
      pen.signed(means[1] - means[0], places),
    ]),
  };
}
