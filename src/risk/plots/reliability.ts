import { legend, mark } from './marks.js';
import { penOf, type PlotOptions, type PlotTable } from './options.js';
import { colours, element, textAt } from './svg.js';
import { drawFrame, frameOf, pathThrough } from './xy-frame.js';

/** Patients of similar predicted probability. */
interface ReliabilityBin {
  /** Mean predicted probability. */
  readonly predicted: number;
  /** Share of patients with the event. */
  readonly observed: number;
  readonly patients: number;
  /** 95 % interval of `observed`. */
  readonly interval: readonly [number, number];
}

/** The bins of one model, and the texts of the figure. */
interface ReliabilityInput {
  readonly title: string;
  readonly subtitle: string;
  readonly bins: readonly ReliabilityBin[];
}

/** Draws a reliability diagram: observed rate by predicted probability, with intervals and the line of perfect ones. */
export function renderReliability({ title, subtitle, bins }: ReliabilityInput, options: PlotOptions = {}): string {
  const pen = penOf(options);
  const { words } = pen;
  const text = (value: number): string => pen.percent(value, 1);
  const axis = { range: [0, 1] as const, text: (value: number) => pen.number(value * 100, 0) };
  const told = ({ predicted, observed, interval, patients }: ReliabilityBin): string =>
    `${words.predicted}: ${text(predicted)}; ${words.observed}: ${text(observed)} ` +
    `(${words.interval} ${text(interval[0])} – ${text(interval[1])}); ${words.patientCount(pen.number(patients, 0))}`;
  const spec = {
    title,
    subtitle: bins.length === 0 ? words.nothing : subtitle,
    description: bins.map((bin) => `${told(bin)}.`).join(' '),
    x: { ...axis, label: words.predicted },
    y: { ...axis, label: words.observed },
    below: pen.width < 420 ? 44 : 24,
    inside: Math.min(520, Math.max(220, pen.width - 100)),
  };
  const frame = frameOf(pen, spec);
  const perfect = element('line', {
    x1: frame.x(0),
    y1: frame.y(0),
    x2: frame.x(1),
    y2: frame.y(1),
    stroke: colours.muted,
    'stroke-dasharray': '5 4',
  });
  const line = element('path', {
    d: pathThrough(bins.map(({ predicted, observed }) => [frame.x(predicted), frame.y(observed)])),
    fill: 'none',
    stroke: colours.lowers,
    'stroke-width': 2,
  });
  const marks = bins.map((bin) => {
    const [x, y] = [frame.x(bin.predicted), frame.y(bin.observed)];
    const [low, high] = [frame.y(bin.interval[0]), frame.y(bin.interval[1])];
    const whisker = { stroke: colours.lowers, 'stroke-width': 1.5 };
    return mark(
      told(bin),
      element('line', { x1: x, x2: x, y1: low, y2: high, ...whisker }) +
        element('line', { x1: x - 4, x2: x + 4, y1: low, y2: low, ...whisker }) +
        element('line', { x1: x - 4, x2: x + 4, y1: high, y2: high, ...whisker }) +
        element('circle', { cx: x, cy: y, r: 5, fill: colours.lowers, stroke: colours.background, 'stroke-width': 1 }),
    );
  });
  const counts = bins.flatMap(({ predicted, interval, patients }, index) => {
    const x = frame.x(predicted);
    const earlier = bins[index - 1];
    if (earlier && x - frame.x(earlier.predicted) < 24) return [];
    const above = frame.y(interval[1]) - 6;
    return [
      textAt(x, Math.max(frame.top + 10, above), `n=${pen.number(patients, 0)}`, {
        'text-anchor': 'middle',
        'font-size': 11,
        fill: colours.muted,
      }),
    ];
  });
  const dash = element('line', { x1: -7, x2: 7, y1: 0, y2: 0, stroke: colours.muted, 'stroke-dasharray': '5 4' });
  const bar = element('line', { x1: 0, x2: 0, y1: -7, y2: 7, stroke: colours.lowers, 'stroke-width': 1.5 });
  const entries = [
    { mark: dash, text: words.perfect },
    { mark: bar, text: words.interval },
  ];
  return drawFrame(
    frame,
    spec,
    perfect + line + marks.join('') + counts.join('') + legend(entries, { width: pen.width, y: frame.bottom + 64 }),
  );
}

/** The bins as a table. */
export function reliabilityTable({ title, bins }: ReliabilityInput, options: PlotOptions = {}): PlotTable {
  const pen = penOf(options);
  const { words } = pen;
  return {
    caption: title,
    columns: [words.predicted, words.observed, words.interval, words.patients],
    rows: bins.map(({ predicted, observed, interval, patients }) => [
      pen.percent(predicted, 1),
      pen.percent(observed, 1),
      `${pen.percent(interval[0], 1)} – ${pen.percent(interval[1], 1)}`,
      pen.number(patients, 0),
    ]),
  };
}
