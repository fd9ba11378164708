import { legend, mark, swatch } from './marks.js';
import { penOf, type Pen, type PlotOptions, type PlotTable } from './options.js';
import { extent, mean } from './scale.js';
import { colours, decimals, element } from './svg.js';
import { codeTicks, drawFrame, frameOf, pathThrough, type Frame } from './xy-frame.js';

/** The answers of a model for some patients while one feature runs over a grid, and the texts of the figure. */
export interface PartialDependenceInput {
  readonly title: string;
  readonly subtitle: string;
  /** The feature with its unit. */
  readonly featureLabel: string;
  /** The answer with its unit, e.g. `probability (%)`. */
  readonly valueLabel: string;
  /** True: the answers are probabilities, and written as percentages. */
  readonly isProbability: boolean;
  /** The values that were tried, ascending. */
  readonly grid: readonly number[];
  /** Names of the grid's values, for a feature with codes. */
  readonly codes?: readonly string[];
  /** For each patient the answers along the grid (individual conditional expectation, ICE). */
  readonly curves: readonly (readonly number[])[];
  /** The patients' own values of the feature. Places without any are grey. Undefined: they are not known. */
  readonly observed?: readonly number[];
  /** A value to point out, e.g. that of the patient at hand. */
  readonly current?: number;
}

/** A stretch of the grid. `patients` is the number of patients whose own value lies in it. */
interface GridCell {
  readonly from: number;
  readonly to: number;
  readonly patients: number;
}

/** Computes the mean of the curves along the grid: the partial dependence (Friedman 2001). */
export function partialDependence(curves: readonly (readonly number[])[]): number[] {
  return (curves[0] ?? []).map((_, index) => mean(curves.map((curve) => curve[index]!)));
}

/** Counts patients around each value of the grid: every cell reaches half way to its neighbours. */
export function gridCells(grid: readonly number[], observed: readonly number[]): GridCell[] {
  const between = grid.slice(1).map((value, index) => (value + grid[index]!) / 2);
  return grid.map((value, index) => {
    const [from, to] = [between[index - 1] ?? value, between[index] ?? value];
    const isLast = index === grid.length - 1;
    const inside = (own: number): boolean => own >= from && (isLast ? own <= to : own < to);
    return { from, to, patients: observed.filter(inside).length };
  });
}

/** Returns the number of decimals for the values of a grid. */
const gridPlaces = (grid: readonly number[]): number =>
  grid.every(Number.isInteger) ? 0 : decimals(grid.at(-1)! - grid[0]! || 1) - 1;

/** Draws partial dependence with one thin line per patient. It is grey where the patients have no values. */
export function renderPartialDependence(input: PartialDependenceInput, options: PlotOptions = {}): string {
  const pen = penOf(options);
  const { words } = pen;
  const { grid, curves, codes } = input;
  const means = partialDependence(curves);
  const text = answerText(input, pen);
  const places = gridPlaces(grid);
  const values = extent(curves.flat(), 0.06);
  const cells = input.observed ? gridCells(grid, input.observed) : undefined;
  const spec = {
    title: input.title,
    subtitle: curves.length === 0 ? words.nothing : input.subtitle,
    description:
      `${input.featureLabel}; ${input.valueLabel}. ` +
      means
        .map((value, index) => `${nameOf(input, index, pen.number(grid[index]!, places))}: ${text(value)}.`)
        .join(' '),
    x: {
      range: codes ? ([-0.5, grid.length - 0.5] as const) : ([grid[0] ?? 0, grid.at(-1) ?? 1] as const),
      label: input.featureLabel,
      text: (value: number) => pen.number(value, places),
      ...(codes && { ticks: codeTicks(codes, pen.width) }),
    },
    y: {
      range: input.isProbability ? ([Math.max(0, values[0]), Math.min(1, values[1])] as const) : values,
      label: input.valueLabel,
      text: axisText(input, pen),
    },
    below: 24 + 20 * Math.ceil(430 / pen.width),
  };
  const frame = frameOf(pen, spec);
  const x = (index: number): number => frame.x(codes ? index : grid[index]!);
  const path = (curve: readonly number[]): string =>
    pathThrough(curve.map((value, index) => [x(index), frame.y(value)]));
  const lines = element(
    'g',
    { fill: 'none', stroke: colours.muted, 'stroke-width': 1, 'stroke-opacity': 0.35 },
    curves.map((curve) => element('path', { d: path(curve) })).join(''),
  );
  const thick = element('path', { d: path(means), fill: 'none', stroke: colours.lowers, 'stroke-width': 3 });
  const marks = means.map((value, index) =>
    mark(
      `${nameOf(input, index, pen.number(grid[index]!, places))}: ${text(value)}` +
        (cells ? `; ${words.patientCount(pen.number(cells[index]!.patients, 0))}` : ''),
      element('circle', { cx: x(index), cy: frame.y(value), r: 4, fill: colours.lowers }),
    ),
  );
  const dash = { stroke: colours.raises, 'stroke-width': 2, 'stroke-dasharray': '3 3' };
  const current = input.current === undefined ? undefined : codes ? grid.indexOf(input.current) : input.current;
  const here =
    current === undefined || current < frame.x.low || current > frame.x.high
      ? ''
      : element('line', { x1: frame.x(current), x2: frame.x(current), y1: frame.top, y2: frame.bottom, ...dash });
  const entries = [
    { mark: swatch(colours.lowers), text: words.mean },
    {
      mark: element('line', { x1: -7, x2: 7, y1: 0, y2: 0, stroke: colours.muted }),
      text: words.onePatient(pen.number(curves.length, 0)),
    },
    ...(here ? [{ mark: element('line', { x1: 0, x2: 0, y1: -7, y2: 7, ...dash }), text: words.thisPatient }] : []),
    ...(cells?.some(({ patients }) => patients === 0) ? [{ mark: swatch(colours.grid), text: words.noPatients }] : []),
  ];
  return drawFrame(
    frame,
    spec,
    empty(cells, frame, codes !== undefined) +
      lines +
      thick +
      marks.join('') +
      here +
      legend(entries, { width: pen.width, y: frame.bottom + 64 }),
  );
}

function empty(cells: readonly GridCell[] | undefined, frame: Frame, coded: boolean): string {
  return (cells ?? [])
    .map(({ from, to, patients }, index) => {
      if (patients > 0) return '';
      const [low, high] = coded ? [index - 0.5, index + 0.5] : [from, to];
      return element('rect', {
        x: frame.x(low),
        y: frame.top,
        width: Math.max(0, frame.x(high) - frame.x(low)),
        height: frame.bottom - frame.top,
        fill: colours.grid,
        'fill-opacity': 0.6,
      });
    })
    .join('');
}

function nameOf({ codes }: PartialDependenceInput, index: number, number: string): string {
  return codes?.[index] ?? number;
}

function axisText(input: PartialDependenceInput, pen: Pen): (value: number) => string {
  if (!input.isProbability) return answerText(input, pen);
  const [low, high] = extent(input.curves.flat());
  const places = high - low > 0.1 ? 0 : decimals(high - low || 1) - 2;
  return (value) => pen.number(value * 100, places);
}

function answerText({ isProbability, curves }: PartialDependenceInput, pen: Pen): (value: number) => string {
  const [low, high] = extent(curves.flat());
  if (isProbability) return (value) => pen.percent(value, Math.max(1, decimals(high - low || 1) - 2));
  const places = decimals(high - low || 1);
  return (value) => pen.number(value, places);
}

/** The mean, the least and the greatest answer along the grid, as a table. It has no rows without patients. */
export function partialDependenceTable(input: PartialDependenceInput, options: PlotOptions = {}): PlotTable {
  const pen = penOf(options);
  const { words } = pen;
  const text = answerText(input, pen);
  const means = partialDependence(input.curves);
  const cells = input.observed ? gridCells(input.grid, input.observed) : undefined;
  const places = gridPlaces(input.grid);
  return {
    caption: `${input.title}. ${input.valueLabel}`,
    columns: [input.featureLabel, words.mean, words.low, words.high, ...(cells ? [words.patients] : [])],
    rows: means.map((value, index) => {
      const [low, high] = extent(input.curves.map((curve) => curve[index]!));
      return [
        nameOf(input, index, pen.number(input.grid[index]!, places)),
        text(value),
        text(low),
        text(high),
        ...(cells ? [pen.number(cells[index]!.patients, 0)] : []),
      ];
    }),
  };
}
