import { mark } from './marks.js';
import { penOf, type PlotOptions, type PlotTable } from './options.js';
import { rowAxis, rowLayout } from './rows.js';
import { linear } from './scale.js';
import { colours, decimals, element, figure, heading, headingBottom, textAt } from './svg.js';

/** Values from 0 on, one bar each, and the texts of the figure. */
interface BarsInput {
  readonly title: string;
  readonly subtitle: string;
  /** The number with its unit, e.g. `mean |SHAP value| (log-odds)`. */
  readonly unit: string;
  readonly rows: readonly { readonly label: string; readonly value: number }[];
}

/** The maximum number of bars. One line counts the rows that are not shown. */
const mostBars = 30;

/** Draws the largest values as bars, largest first. */
export function renderBars(input: BarsInput, options: PlotOptions = {}): string {
  const pen = penOf(options);
  const { title, unit } = input;
  const sorted = largestFirst(input.rows);
  const bars = sorted.slice(0, mostBars);
  const largest = bars[0]?.value || 1;
  const places = decimals(largest);
  const rest = sorted.length > bars.length ? ` ${pen.words.notShown(sorted.length - bars.length)}` : '';
  const subtitle = bars.length === 0 ? pen.words.nothing : input.subtitle + rest;
  const layout = rowLayout({
    width: pen.width,
    names: bars,
    band: 28,
    top: headingBottom(title, subtitle, pen.width) + 8,
    below: bars.length === 0 ? 0 : 56,
    right: 90,
  });
  const scale = linear([0, largest], [layout.left, layout.right]);
  const text = (value: number): string => pen.number(value, places);
  const rows = bars.map(({ label, value }, index) => {
    const middle = layout.middle(index);
    const width = Math.max(1, scale(value) - layout.left);
    const bar = { x: layout.left, y: middle - 9, width, height: 18, fill: colours.lowers };
    return (
      layout.names(index) +
      mark(`${label}: ${text(value)}`, element('rect', bar)) +
      textAt(layout.left + width + 6, middle + 5, text(value), { 'font-size': 12 })
    );
  });
  return figure(
    layout.width,
    layout.height,
    title,
    bars.length === 0
      ? subtitle
      : `${unit}. ${bars.map(({ label, value }) => `${label}: ${text(value)}.`).join(' ')}${rest}`,
    heading(title, subtitle, layout.width) +
      (bars.length === 0 ? '' : rowAxis(layout, scale, { label: unit, text })) +
      rows.join(''),
  );
}

function largestFirst<Row extends { readonly value: number }>(rows: readonly Row[]): Row[] {
  return [...rows].sort((left, right) => right.value - left.value);
}

/** All values as a table, largest first. */
export function barsTable({ title, unit, rows }: BarsInput, options: PlotOptions = {}): PlotTable {
  const pen = penOf(options);
  const sorted = largestFirst(rows);
  const places = decimals(sorted[0]?.value || 1);
  return {
    caption: title,
    columns: [pen.words.feature, unit],
    rows: sorted.map(({ label, value }) => [label, pen.number(value, places)]),
  };
}
