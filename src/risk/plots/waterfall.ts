/**
 * Draws an explanation as a waterfall, step by step:
 *
 * 1. The contributions are sorted by size. The largest get a bar each; the rest share one bar.
 * 2. A running total from the base value to the output gives each bar its start and its end.
 * 3. The horizontal scale spans all these totals.
 * 4. Title, axis, one row per bar, the two end points and the legend are drawn as SVG. The upper end point names the
 *    answer that calibration makes of the output.
 */
import type { RiskModelManifest } from '../manifest.js';
import { arrow, directionLegend, endpoint, mark } from './marks.js';
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
  readonly manifest: Pick<RiskModelManifest, 'name' | 'version' | 'outcome' | 'outputSpace' | 'quantity'>;
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
  const { baseValue, outputValue } = explanation;
  const bars = foldSmall(
    [...contributions].sort((left, right) => Math.abs(right.value) - Math.abs(left.value)),
    pen,
  );
  const steps = runningTotals(bars, baseValue);
  const range = extent([baseValue, outputValue, ...steps.flatMap(({ from, to }) => [from, to])], 0.08);
  const places = decimals(range[1] - range[0]);
  const text = (value: number): string => pen.number(value, places);
  const space = spaceWords(manifest);
  const answer = answerWords(manifest, score);
  const moved = manifest.quantity ? 'quantity' : score.className === undefined ? 'risk' : 'class';
  const title = `${manifest.name} ${manifest.version}: what moved this ${moved}`;
  const description = [
    answer.sentence,
    `In ${space}: from the base value ${text(baseValue)} to the output ${text(outputValue)}.`,
    ...bars.map(
      (bar) =>
        `${bar.label}${bar.displayValue === '' ? '' : `, ${bar.displayValue}`}: ${pen.signed(bar.value, places)}.`,
    ),
  ].join(' ');
  const layout = rowLayout({
    width: pen.width,
    rows: bars.length,
    band: 38,
    top: headingBottom(title, answer.heading, pen.width) + 40,
    below: 104,
    right: 80,
    details: true,
  });
  const scale = linear(range, [layout.left, layout.right]);
  const rows = steps.map(({ label, displayValue, value, from, to }, index) => {
    const middle = layout.middle(index);
    const span = [scale(from), scale(to)] as const;
    const bar = arrow(span, middle - barHeight / 2, barHeight, value >= 0);
    return (
      layout.names(index, label, displayValue) +
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
      rowAxis(layout, scale, { label: `model output (${space})`, text, lower: 18 }) +
      rows.join('') +
      endpoint(
        scale(outputValue),
        layout.top - 5,
        `output ${text(outputValue)} → ${answer.short}`,
        layout.width,
        true,
      ) +
      endpoint(scale(baseValue), layout.bottom + 5, `base value ${text(baseValue)}`, layout.width, false) +
      directionLegend(pen.words, layout),
  );
}

const barHeight = 20;

interface Step extends WaterfallContribution {
  readonly from: number;
  readonly to: number;
}

function foldSmall(sorted: readonly WaterfallContribution[], { words }: Pen): WaterfallContribution[] {
  if (sorted.length <= mostBars) return [...sorted];
  const rest = sorted.slice(mostBars - 1);
  return [
    ...sorted.slice(0, mostBars - 1),
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
function runningTotals(bars: readonly WaterfallContribution[], baseValue: number): Step[] {
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
