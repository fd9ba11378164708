/**
 * Draws an explanation as a waterfall, step by step:
 *
 * 1. The contributions are sorted by size. The largest get a bar each; the rest share one bar.
 * 2. A running total from the base value to the output gives each bar its start and its end.
 * 3. The horizontal scale spans all these totals.
 * 4. Title, axis, one row per bar, the two end points and the legend are drawn as SVG. The upper end point names the
 *    answer that calibration makes of the output.
 */
import type { OutputSpace } from '../output-schema.js';
import { arrow, directionLegend, endpoint, endpointLine, endpointLines, mark } from './marks.js';
import { penOf, type Pen, type PlotOptions } from './options.js';
import { answerWords, type ShownScore, spaceWords } from './output-words.js';
import { besideMark, rowAxis, rowLayout } from './rows.js';
import { extent, linear } from './scale.js';
import { colours, decimals, element, figure, heading, headingBottom } from './svg.js';

/** One bar: the amount that a feature adds to the output, and the feature's value as text. */
export interface WaterfallContribution {
  readonly label: string;
  readonly displayValue: string;
  readonly value: number;
}

export interface WaterfallInput {
  readonly manifest: {
    readonly name: string;
    readonly version: string;
    readonly outcome: string;
    readonly outputSpace: OutputSpace;
    readonly quantity?: { readonly unitLabel: string } | undefined;
  };
  readonly score: ShownScore;
  readonly explanation: { readonly baseValue: number; readonly outputValue: number };
  readonly contributions: readonly WaterfallContribution[];
}

/** The maximum number of bars for single features. All other features share one bar. */
const mostBars = 14;

/**
 * Draws an explanation as a waterfall. It starts with the base value at the bottom. Each feature's contribution
 * follows, smallest first, up to the output at the top. The SVG is self-contained; colour, arrow and sign show the
 * direction.
 */
export function renderWaterfall(
  { manifest, score, explanation, contributions }: WaterfallInput,
  options: PlotOptions = {},
): string {
  const pen = penOf(options);
  const { words } = pen;
  const { baseValue, outputValue } = explanation;
  const { steps, range, places } = waterfallSteps({ baseValue, outputValue, contributions }, pen);
  const text = (value: number): string => pen.number(value, places);
  const space = spaceWords(manifest, words);
  const answer = answerWords(manifest, score, pen);
  const moved = manifest.quantity ? 'quantity' : score.className === undefined ? 'risk' : 'class';
  const title = words.moved[moved](`${manifest.name} ${manifest.version}`);
  const base = endpointLines([words.baseValue(text(baseValue))], pen.width);
  const output = endpointLines([words.output(text(outputValue)), `→ ${answer.short}`], pen.width);
  const description = [
    answer.sentence,
    words.fromBaseValue(space, text(baseValue), text(outputValue)),
    ...steps.map(
      (bar) =>
        `${bar.label}${bar.displayValue === '' ? '' : `, ${bar.displayValue}`}: ${pen.signed(bar.value, places)}.`,
    ),
  ].join(' ');
  const layout = rowLayout({
    width: pen.width,
    names: steps.map(({ label, displayValue }) => ({ label, detail: displayValue })),
    band: 38,
    top: headingBottom(title, answer.heading, pen.width) + 25 + output.length * endpointLine,
    below: 104,
    right: 80,
  });
  const scale = linear(range, [layout.left, layout.right]);
  const rows = steps.map(({ label, displayValue, value, from, to }, index) => {
    const middle = layout.middle(index);
    const span = [scale(from), scale(to)] as const;
    const bar = arrow(span, middle - barHeight / 2, barHeight, value >= 0);
    return (
      layout.names(index) +
      (index === 0 ? '' : connector(span[1], layout.middle(index - 1), middle)) +
      mark(`${label}${displayValue === '' ? '' : `: ${displayValue}`} (${pen.signed(value, places)})`, bar) +
      besideMark(layout, span, middle, pen.arrowed(value, places))
    );
  });
  return figure(
    layout.width,
    layout.height,
    title,
    description,
    heading(title, answer.heading, layout.width) +
      rowAxis(layout, scale, { label: words.modelOutput(space), text, lower: 18 }) +
      rows.join('') +
      endpoint(scale(outputValue), layout.top - 5, output, layout.width, true) +
      endpoint(scale(baseValue), layout.bottom + 5, base, layout.width, false) +
      directionLegend(words, layout),
  );
}

const barHeight = 20;

/** A bar of a waterfall, from one running total to the next. */
interface Step extends WaterfallContribution {
  readonly from: number;
  readonly to: number;
}

/** Computes the bars of a waterfall, its range with a margin, and the decimals of its numbers. */
export function waterfallSteps(
  { baseValue, outputValue, contributions }: WaterfallInput['explanation'] & Pick<WaterfallInput, 'contributions'>,
  pen: Pick<Pen, 'words'>,
): { readonly steps: readonly Step[]; readonly range: readonly [number, number]; readonly places: number } {
  const sorted = [...contributions].sort((left, right) => Math.abs(right.value) - Math.abs(left.value));
  const steps = runningTotals(foldSmall(sorted, mostBars, pen), baseValue);
  const range = extent([baseValue, outputValue, ...steps.flatMap(({ from, to }) => [from, to])], 0.08);
  return { steps, range, places: decimals(range[1] - range[0]) };
}

/** Joins the smallest of sorted contributions, so that at most `most` are left. */
export function foldSmall(
  sorted: readonly WaterfallContribution[],
  most: number,
  { words }: Pick<Pen, 'words'>,
): WaterfallContribution[] {
  if (sorted.length <= most) return [...sorted];
  const rest = sorted.slice(most - 1);
  return [
    ...sorted.slice(0, most - 1),
    {
      label: words.otherFeatures(rest.length),
      displayValue: '',
      value: rest.reduce((sum, { value }) => sum + value, 0),
    },
  ];
}

/**
 * Computes the start and end of each bar. The largest contribution is on top and added last, so it ends at the output.
 */
export function runningTotals(bars: readonly WaterfallContribution[], baseValue: number): Step[] {
  let total = baseValue;
  return [...bars]
    .reverse()
    .map((bar) => {
      const from = total;
      total += bar.value;
      return { ...bar, from, to: total };
    })
    .reverse();
}

/** Leads from the end of a bar to the start of the one above it. */
const connector = (x: number, above: number, middle: number): string =>
  element('line', {
    x1: x,
    x2: x,
    y1: above + barHeight / 2,
    y2: middle - barHeight / 2,
    stroke: colours.muted,
    'stroke-dasharray': '2 2',
  });
