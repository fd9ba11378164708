import { legend, mark } from './marks.js';
import { penOf, type PlotOptions, type PlotTable } from './options.js';
import { extent, mean, quantile } from './scale.js';
import { colours, decimals, element } from './svg.js';
import { drawFrame, frameOf } from './xy-frame.js';

/** The answers of a cohort, and the texts of the figure. */
interface DistributionInput {
  readonly title: string;
  readonly subtitle: string;
  /** The answer with its unit, e.g. `probability (%)`. */
  readonly valueLabel: string;
  /** True: the answers are probabilities, and the axis runs from 0 to 100 %. */
  readonly isProbability: boolean;
  readonly values: ArrayLike<number>;
  /** The bands, lowest first, each with the number of patients that the model put into it. */
  readonly bands: readonly { readonly name: string; readonly from: number; readonly patients: number }[];
}

/** One bar of a histogram. The last one has its upper end too. */
interface HistogramBin {
  readonly from: number;
  readonly to: number;
  readonly patients: number;
}

/** Counts values in bins of equal width. */
export function histogram(
  values: ArrayLike<number>,
  [low, high]: readonly [number, number],
  bins: number,
): HistogramBin[] {
  const counts = new Array<number>(bins).fill(0);
  const width = (high - low) / bins;
  for (let index = 0; index < values.length; index++) {
    const place = width === 0 ? 0 : Math.floor((values[index]! - low) / width);
    counts[Math.min(bins - 1, Math.max(0, place))]! += 1;
  }
  return counts.map((patients, index) => ({ from: low + index * width, to: low + (index + 1) * width, patients }));
}

/** Draws how many patients have which risk, with the bands behind the bars. */
export function renderDistribution(input: DistributionInput, options: PlotOptions = {}): string {
  const pen = penOf(options);
  const { words } = pen;
  const { values, bands, isProbability } = input;
  const range = isProbability ? ([0, 1] as const) : extent(Array.from(values));
  const bins = values.length === 0 ? [] : histogram(values, range, 20);
  const most = Math.max(1, ...bins.map(({ patients }) => patients));
  const places = Math.max(0, decimals(range[1] - range[0] || 1) - 1);
  const text = (value: number): string => (isProbability ? pen.number(value * 100, 0) : pen.number(value, places));
  const share = (patients: number): string => pen.percent(patients / Math.max(1, values.length), 1);
  const told = bands.map(
    ({ name, patients }) => `${name}: ${words.patientCount(pen.number(patients, 0))} (${share(patients)})`,
  );
  const spec = {
    title: input.title,
    subtitle: values.length === 0 ? words.nothing : input.subtitle,
    description: `${told.map((line) => `${line}.`).join(' ')} ${bins
      .map(({ from, to, patients }) => `${text(from)} – ${text(to)}: ${pen.number(patients, 0)}.`)
      .join(' ')}`,
    x: { range, label: input.valueLabel, text },
    y: { range: [0, most * 1.05] as const, label: words.patients, text: (value: number) => pen.number(value, 0) },
    below: 16 + 20 * Math.ceil((bands.length * 210) / pen.width),
  };
  const frame = frameOf(pen, spec);
  const behind = bands.map(({ from }, index) => {
    const low = Math.max(frame.x.low, Math.min(frame.x.high, index === 0 ? frame.x.low : from));
    const high = Math.max(low, Math.min(frame.x.high, bands[index + 1]?.from ?? frame.x.high));
    return element('rect', {
      x: frame.x(low),
      y: frame.top,
      width: frame.x(high) - frame.x(low),
      height: frame.bottom - frame.top,
      ...bandPaint(index),
    });
  });
  const bars = bins.map(({ from, to, patients }) =>
    mark(
      `${input.valueLabel}: ${text(from)} – ${text(to)}: ${words.patientCount(pen.number(patients, 0))}`,
      element('rect', {
        x: frame.x(from) + 1,
        y: frame.y(patients),
        width: Math.max(1, frame.x(to) - frame.x(from) - 2),
        height: frame.bottom - frame.y(patients),
        fill: colours.lowers,
      }),
    ),
  );
  const entries = told.map((line, index) => ({
    mark: element('rect', { x: -6, y: -6, width: 12, height: 12, stroke: colours.muted, ...bandPaint(index) }),
    text: line,
  }));
  const place = { width: pen.width, y: frame.bottom + 62 };
  return drawFrame(frame, spec, behind.join('') + bars.join('') + legend(entries, place));
}

const bandPaint = (index: number) => ({ fill: colours.muted, 'fill-opacity': 0.04 + 0.08 * index });

/** The bands as a table. */
export function distributionTable(input: DistributionInput, options: PlotOptions = {}): PlotTable {
  const pen = penOf(options);
  const { words } = pen;
  return {
    caption: input.title,
    columns: [words.band, words.patients, '%'],
    rows: input.bands.map(({ name, patients }) => [
      name,
      pen.number(patients, 0),
      pen.number((patients / Math.max(1, input.values.length)) * 100, 1),
    ]),
  };
}

/** Mean and quartiles of a group's answers; undefined without any. */
export function spreadOf(values: readonly number[]) {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((left, right) => left - right);
  const [lower, median, upper] = [0.25, 0.5, 0.75].map((share) => quantile(sorted, share));
  return { patients: values.length, mean: mean(values), lower: lower!, median: median!, upper: upper! };
}
