import { legend, legendHeight, mark, shape } from './marks.js';
import { penOf, type Pen, type PlotOptions, type PlotTable } from './options.js';
import { extent } from './scale.js';
import { colours, decimals, element, textAt, textWidth } from './svg.js';
import { drawFrame, type Frame, frameOf, pathThrough } from './xy-frame.js';

/** One score of a patient. */
export interface HistoryPoint {
  readonly time: Date;
  /** The probability, or the quantity in its unit. */
  readonly value: number;
  /** The band as a reader knows it. */
  readonly band: string;
  readonly modelVersion: string;
}

/** The scores of one patient by one model, and the texts of the figure. */
export interface HistoryInput {
  readonly title: string;
  readonly subtitle: string;
  /** The answer with its unit, e.g. `probability (%)`, `length of stay (days)`. */
  readonly valueLabel: string;
  /** True: values are probabilities, and written as percentages on an axis from 0 to 100. */
  readonly isProbability: boolean;
  /** In any order. */
  readonly points: readonly HistoryPoint[];
  /** The lower ends of the bands, lowest first. */
  readonly bands: readonly { readonly name: string; readonly from: number }[];
  /** Writes the day, the time of day, or both, in the reader's language and time zone. */
  readonly date: (time: Date, use: 'AXIS' | 'TIME' | 'FULL') => string;
}

/** Draws the scores of a patient over time, with the bands behind them. Each model version has its own shape. */
export function renderHistory(input: HistoryInput, options: PlotOptions = {}): string {
  const pen = penOf(options);
  const { words } = pen;
  const points = inOrder(input.points);
  const text = valueText(input, pen);
  const onAxis = input.isProbability ? (value: number) => pen.number(value * 100, 0) : text;
  const times = extent(
    points.map(({ time }) => time.getTime()),
    points.length > 1 ? 0.04 : 1e-6,
  );
  const values = input.isProbability
    ? ([0, 1] as const)
    : extent(
        points.map(({ value }) => value),
        0.1,
      );
  const versions = [...new Set(points.map(({ modelVersion }) => modelVersion))];
  const entries = versions.map((version, index) => ({
    mark: shape(index, 0, 0, { fill: colours.lowers }),
    text: `${words.modelVersion} ${version}`,
  }));
  const axis = timeAxis(points, input, words.time);
  const bandName = (name: string): number => textWidth(name, 11);
  const widest = Math.max(0, ...input.bands.map(({ name }) => bandName(name)));
  const spec = {
    title: input.title,
    subtitle: points.length === 0 ? words.nothing : input.subtitle,
    description: [
      `${input.valueLabel}.`,
      ...points.map(
        ({ time, value, band, modelVersion }) =>
          `${input.date(time, 'FULL')}: ${text(value)}, ${band}, ${words.modelVersion} ${modelVersion}.`,
      ),
    ].join(' '),
    x: { range: times, label: axis.label, text: (value: number) => axis.text(new Date(value)) },
    y: { range: values, label: input.valueLabel, text: onAxis },
    below: versions.length > 1 ? 8 + legendHeight(entries, pen.width) : 0,
    right: Math.min(pen.width * 0.25, widest + 20),
  };
  const frame = frameOf(pen, spec);
  const xTicks = timeTicks(points, frame, axis.text);
  const bands = input.bands.flatMap(({ name, from }, index) => {
    const low = Math.max(frame.y.low, from);
    const high = Math.min(frame.y.high, input.bands[index + 1]?.from ?? frame.y.high);
    if (high <= low) return [];
    const [top, bottom] = [frame.y(high), frame.y(low)];
    const tall = bottom - top >= 12;
    return [
      element('rect', {
        x: frame.left,
        y: top,
        width: frame.right - frame.left,
        height: bottom - top,
        fill: colours.muted,
        'fill-opacity': 0.05 + 0.06 * index,
      }) +
        (tall ? textAt(frame.right + 8, (top + bottom) / 2 + 4, name, { 'font-size': 11, fill: colours.muted }) : ''),
    ];
  });
  const line = element('path', {
    d: pathThrough(points.map(({ time, value }) => [frame.x(time.getTime()), frame.y(value)])),
    fill: 'none',
    stroke: colours.lowers,
    'stroke-width': 2,
  });
  const marks = points.map(({ time, value, band, modelVersion }) =>
    mark(
      `${input.date(time, 'FULL')}: ${text(value)}, ${band}, ${words.modelVersion} ${modelVersion}`,
      shape(versions.indexOf(modelVersion), frame.x(time.getTime()), frame.y(value), {
        fill: colours.lowers,
        stroke: colours.background,
        'stroke-width': 1,
      }),
    ),
  );
  const last = points.at(-1);
  const latest = last ? latestLabel(frame, last, text(last.value)) : '';
  const shapes = legend(entries, { width: pen.width, y: frame.bottom + 66 });
  return drawFrame(
    frame,
    { ...spec, x: { ...spec.x, ticks: xTicks } },
    bands.join('') + line + marks.join('') + latest + (versions.length > 1 ? shapes : ''),
  );
}

/** Writes the number of the latest point above it; below it where the label of the axis is above. */
function latestLabel(frame: Frame, { time, value }: HistoryPoint, text: string): string {
  const y = frame.y(value);
  const left = frame.left + textWidth(text, 13, true) + 4;
  return textAt(
    Math.min(frame.right - 4, Math.max(left, frame.x(time.getTime()))),
    y - 22 < frame.top ? y + 22 : y - 10,
    text,
    { 'text-anchor': 'end', 'font-weight': 600 },
  );
}

/** Chooses how times are written: as days, or as times of the day where all points are of one. */
function timeAxis(points: readonly HistoryPoint[], { date }: HistoryInput, time: string) {
  const days = new Set(points.map((point) => date(point.time, 'AXIS')));
  const isOneDay = points.length > 1 && days.size === 1;
  return {
    label: isOneDay ? `${time}, ${[...days].join('')}` : time,
    text: (at: Date): string => date(at, isOneDay ? 'TIME' : 'AXIS'),
  };
}

/** Puts times on the axis where they have room: the first, the last, and some between. */
function timeTicks(
  points: readonly HistoryPoint[],
  frame: { readonly left: number; readonly right: number; readonly x: (value: number) => number },
  write: (time: Date) => string,
): { value: number; text: string }[] {
  const chosen: { value: number; text: string; low: number; high: number }[] = [];
  const ordered = points.length > 1 ? [points[0]!, points.at(-1)!, ...points.slice(1, -1)] : points;
  for (const { time } of ordered) {
    const value = time.getTime();
    const text = write(time);
    const half = textWidth(text, 12) / 2 + 4;
    const [low, high] = [frame.x(value) - half, frame.x(value) + half];
    if (chosen.every((other) => text !== other.text && (high < other.low || low > other.high)))
      chosen.push({ value, text, low, high });
  }
  return chosen.map(({ value, text }) => ({ value, text }));
}

function inOrder(points: readonly HistoryPoint[]): HistoryPoint[] {
  return [...points].sort((left, right) => left.time.getTime() - right.time.getTime());
}

function valueText({ isProbability, points }: HistoryInput, pen: Pen): (value: number) => string {
  if (isProbability) return (value) => pen.percent(value, 1);
  const [low, high] = extent(points.map(({ value }) => value));
  const places = Math.max(0, decimals(Math.max(high - low, Math.abs(high) / 10, 1e-9)) - 1);
  return (value) => pen.number(value, places);
}

/** The scores as a table, newest first. */
export function historyTable(input: HistoryInput, options: PlotOptions = {}): PlotTable {
  const pen = penOf(options);
  const { words } = pen;
  const text = valueText(input, pen);
  return {
    caption: input.title,
    columns: [words.time, input.valueLabel, words.band, words.modelVersion],
    rows: inOrder(input.points)
      .reverse()
      .map(({ time, value, band, modelVersion }) => [input.date(time, 'FULL'), text(value), band, modelVersion]),
  };
}
