/**
 * Draws an explanation as a waterfall, step by step:
 *
 * 1. The contributions are sorted by size. The largest get a bar each; the rest share one bar.
 * 2. A running total from the base value to the output gives each bar its start and its end.
 * 3. The horizontal scale spans all these totals.
 * 4. Title, axis, one row per bar, the two end points and the legend are drawn as SVG.
 */
import type { RiskModelManifest } from '../manifest.js';
import { arrow } from './marks.js';
import { answerWords, type ShownScore, spaceWords } from './output-words.js';
import {
  colours,
  decimals,
  element,
  escapeXml,
  figure,
  fitText,
  heading,
  plain,
  signed,
  textAt,
  textWidth,
  ticks,
} from './svg.js';

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

const layout = { width: 860, left: 300, right: 80, top: 104, rowHeight: 38, barHeight: 20, bottom: 78 } as const;

/** The maximum number of bars for single features. All other features share one bar. */
const mostBars = 14;

/**
 * Draws an explanation as a waterfall. It starts with the base value at the bottom. Each feature's contribution
 * follows, smallest first, up to the output at the top. The SVG is self-contained; colour, arrow and sign show the
 * direction.
 */
export function renderWaterfall({ manifest, score, explanation, contributions }: WaterfallInput): string {
  const bars = foldSmall([...contributions].sort((left, right) => Math.abs(right.value) - Math.abs(left.value)));
  const steps = runningTotals(bars, explanation.baseValue);
  const scale = horizontalScale([
    explanation.baseValue,
    explanation.outputValue,
    ...steps.flatMap(({ from, to }) => [from, to]),
  ]);
  const places = decimals(scale.high - scale.low);
  const height = layout.top + bars.length * layout.rowHeight + layout.bottom;
  const space = spaceWords(manifest);
  const answer = answerWords(manifest, score);
  const moved = manifest.quantity ? 'quantity' : score.className === undefined ? 'risk' : 'class';
  const title = `${manifest.name} ${manifest.version}: what moved this ${moved}`;
  const description = [
    answer.sentence,
    `In ${space}: from the base value ${plain(explanation.baseValue, places)} to the output ` +
      `${plain(explanation.outputValue, places)}.`,
    ...bars.map(
      (bar) => `${bar.label}${bar.displayValue === '' ? '' : `, ${bar.displayValue}`}: ${signed(bar.value, places)}.`,
    ),
  ].join(' ');
  const content = [
    heading(title, answer.heading, layout.width),
    axis(scale, height, places, space),
    ...steps.map((step, index) => row(step, index, scale, places)),
    endpoint(
      scale.x(explanation.outputValue),
      layout.top - 8,
      `output ${plain(explanation.outputValue, places)}`,
      'above',
    ),
    endpoint(
      scale.x(explanation.baseValue),
      height - layout.bottom + 8,
      `base value ${plain(explanation.baseValue, places)}`,
      'below',
    ),
    legend(height, moved),
  ];
  return figure(layout.width, height, title, description, content.join(''));
}

interface Scale {
  readonly low: number;
  readonly high: number;
  x(value: number): number;
}

interface Step extends WaterfallContribution {
  readonly from: number;
  readonly to: number;
}

function foldSmall(sorted: readonly WaterfallContribution[]): WaterfallContribution[] {
  if (sorted.length <= mostBars) return [...sorted];
  const rest = sorted.slice(mostBars - 1);
  return [
    ...sorted.slice(0, mostBars - 1),
    {
      label: `${rest.length} other features`,
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

function horizontalScale(values: readonly number[]): Scale {
  const least = Math.min(...values);
  const most = Math.max(...values);
  const margin = (most - least || Math.abs(most) || 1) * 0.08;
  const [low, high] = [least - margin, most + margin];
  const span = layout.width - layout.left - layout.right;
  return { low, high, x: (value) => layout.left + ((value - low) / (high - low)) * span };
}

function axis(scale: Scale, height: number, places: number, space: string): string {
  const bottom = height - layout.bottom;
  const lines = ticks(scale.low, scale.high, 7).map(
    (tick) =>
      element('line', { x1: scale.x(tick), x2: scale.x(tick), y1: layout.top, y2: bottom, stroke: colours.grid }) +
      textAt(scale.x(tick), bottom + 34, plain(tick, places), {
        'text-anchor': 'middle',
        fill: colours.muted,
        'font-size': 12,
      }),
  );
  return (
    lines.join('') +
    textAt((layout.left + layout.width - layout.right) / 2, bottom + 54, `model output (${space})`, {
      'text-anchor': 'middle',
      fill: colours.muted,
      'font-size': 12,
    })
  );
}

function row(step: Step, index: number, scale: Scale, places: number): string {
  const top = layout.top + index * layout.rowHeight + (layout.rowHeight - layout.barHeight) / 2;
  const middle = top + layout.barHeight / 2;
  const raises = step.value >= 0;
  const [from, to] = [scale.x(step.from), scale.x(step.to)];
  const written = signed(step.value, places);
  const value = written.startsWith('±') ? written : `${raises ? '▲' : '▼'} ${written}`;
  const wide = textWidth(value, 12) + 8;
  // The number is next to the bar, on the side of its point, unless the figure ends there.
  const onRight = raises ? Math.max(from, to) + wide < layout.width : Math.min(from, to) - wide < layout.left;
  const label = onRight
    ? textAt(Math.max(from, to) + 6, middle + 4, value, { 'font-size': 12 })
    : textAt(Math.min(from, to) - 6, middle + 4, value, { 'font-size': 12, 'text-anchor': 'end' });
  const connector =
    index === 0
      ? ''
      : element('line', {
          x1: to,
          x2: to,
          y1: top - (layout.rowHeight - layout.barHeight),
          y2: top,
          stroke: colours.muted,
          'stroke-dasharray': '2 2',
        });
  const full = element(
    'title',
    {},
    escapeXml(
      `${step.label}${step.displayValue === '' ? '' : `: ${step.displayValue}`} (${signed(step.value, places)})`,
    ),
  );
  return element(
    'g',
    {},
    full + names(step, middle) + connector + arrow([from, to], top, layout.barHeight, raises) + label,
  );
}

/** Writes label and value in the left column: on one line if they fit, else on two. */
function names({ label, displayValue }: WaterfallContribution, middle: number): string {
  const width = layout.left - 36;
  const x = layout.left - 16;
  const right = { 'text-anchor': 'end' };
  if (displayValue === '') return textAt(x, middle + 4, fitText(label, width, 13), right);
  return (
    textAt(x, middle - 3, fitText(label, width, 13), right) +
    textAt(x, middle + 12, fitText(displayValue, width, 12), { ...right, fill: colours.muted, 'font-size': 12 })
  );
}

function endpoint(x: number, y: number, label: string, side: 'above' | 'below'): string {
  const half = textWidth(label, 12) / 2;
  const at = Math.min(layout.width - half - 8, Math.max(half + 8, x));
  const mark = side === 'above' ? `M${x.toFixed(2)},${y + 8} l-4,-6 h8 z` : `M${x.toFixed(2)},${y - 8} l-4,6 h8 z`;
  return (
    element('path', { d: mark, fill: colours.text }) +
    textAt(at, side === 'above' ? y - 4 : y + 10, label, {
      'text-anchor': 'middle',
      'font-size': 12,
      'font-weight': 600,
    })
  );
}

function legend(height: number, moved: string): string {
  const y = height - 14;
  return [
    element('rect', { x: 20, y: y - 10, width: 12, height: 12, fill: colours.raises }),
    textAt(38, y, `▲ raises the ${moved}`, { 'font-size': 12 }),
    element('rect', { x: 190, y: y - 10, width: 12, height: 12, fill: colours.lowers }),
    textAt(208, y, `▼ lowers the ${moved}`, { 'font-size': 12 }),
  ].join('');
}
