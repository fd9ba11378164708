import type { CohortFeature, PointGeometry } from './beeswarm.js';
import { legend, legendHeight, mark } from './marks.js';
import { penOf, type PlotOptions, type PlotTable } from './options.js';
import { extent, mean } from './scale.js';
import { colours, decimals, element } from './svg.js';
import { drawPoints, toneEntries, tonesOf } from './tones.js';
import { codeTicks, drawFrame, frameOf } from './xy-frame.js';

/** A feature with its codes, when it has some. */
interface DependenceFeature extends CohortFeature {
  readonly codes?: readonly { readonly value: number; readonly label: string }[];
}

/** One feature of a cohort, another that colours its points, and the texts of the figure. */
interface DependenceInput {
  readonly title: string;
  readonly subtitle: string;
  readonly space: string;
  readonly feature: DependenceFeature;
  /** The feature whose values colour the points. Undefined: the same one. */
  readonly colouredBy?: CohortFeature;
}

/**
 * Finds the feature whose values go along most with the spread of a feature's SHAP values, much as
 * `approximate_interactions` of the Python package shap does; values and missingness are compared group by group.
 * Patients are sorted by the feature's value, and cut into groups of at most 50. In each group the correlation of SHAP
 * values with the other feature is taken, and their absolute values are added up.
 * @returns the index in `others`; -1 when none goes along
 */
export function strongestInteraction(feature: CohortFeature, others: readonly CohortFeature[]): number {
  const order = Array.from({ length: feature.shap.length }, (_, index) => index)
    .filter((index) => !Number.isNaN(feature.values[index]!))
    .sort((left, right) => feature.values[left]! - feature.values[right]!);
  const step = Math.max(Math.min(Math.floor(order.length / 10), 50), 1);
  const strengths = others.map(({ values }) => {
    let sum = 0;
    for (let start = 0; start < order.length; start += step) {
      const group = order.slice(start, start + step);
      const shap = group.map((index) => feature.shap[index]!);
      const other = group.map((index) => values[index]!);
      const missing = other.map((value) => (Number.isNaN(value) ? 1 : 0));
      const known = other.map((value) => (Number.isNaN(value) ? 0 : value));
      sum += Math.max(Math.abs(correlation(shap, known)), Math.abs(correlation(shap, missing)));
    }
    return sum;
  });
  const strongest = Math.max(0, ...strengths);
  return strongest === 0 ? -1 : strengths.indexOf(strongest);
}

/** Pearson's correlation; 0 where one side has no spread. */
function correlation(left: readonly number[], right: readonly number[]): number {
  const [leftMean, rightMean] = [mean(left), mean(right)];
  let [both, ofLeft, ofRight] = [0, 0, 0];
  for (let index = 0; index < left.length; index++) {
    const [a, b] = [left[index]! - leftMean, right[index]! - rightMean];
    both += a * b;
    ofLeft += a * a;
    ofRight += b * b;
  }
  return ofLeft < 1e-24 || ofRight < 1e-24 ? 0 : both / Math.sqrt(ofLeft * ofRight);
}

/** Points with a known value. Patients without one, or whose value is none of the codes, have no place on the axis. */
function known({ values, codes }: DependenceFeature): number[] {
  const coded = codes && new Set(codes.map(({ value }) => value));
  const hasPlace = (value: number): boolean => (coded ? coded.has(value) : !Number.isNaN(value));
  return Array.from({ length: values.length }, (_, index) => index).filter((index) => hasPlace(values[index]!));
}

/** Moves the points of a code a little to both sides, each by the same amount whenever it is drawn. */
const aside = (index: number): number => (((index * 0.618033988749895) % 1) - 0.5) * 0.5;

/** Computes where each point of the scatter is, and the frame around it. */
export function dependenceGeometry(input: DependenceInput, options: PlotOptions = {}) {
  const pen = penOf(options);
  const { feature, colouredBy = feature } = input;
  const chosen = known(feature);
  const codes = feature.codes;
  const across = chosen.map((index) =>
    codes ? codes.findIndex(({ value }) => value === feature.values[index]) + aside(index) : feature.values[index]!,
  );
  const up = chosen.map((index) => feature.shap[index]!);
  const [low, high] = extent(across, 0.03);
  const places = across.every(Number.isInteger) ? 0 : Math.max(0, decimals(high - low || 1) - 1);
  const range = extent([0, ...extent(up)], 0.05);
  const upPlaces = decimals(range[1] - range[0]);
  const missing = feature.values.length - chosen.length;
  const label = pen.words.colouredBy(colouredBy.label);
  const allTones = tonesOf(colouredBy.values);
  const entries = toneEntries(
    pen.words,
    chosen.some((index) => allTones[index] === 3),
  );
  const spec = {
    title: input.title,
    subtitle: chosen.length === 0 ? pen.words.nothing : `${input.subtitle} ${label}`,
    description: `${feature.label}; ${pen.words.contributionIn(input.space)}; ${label}. ${pen.words.patientCount(
      pen.number(chosen.length, 0),
    )}. ${pen.words.missing}: ${pen.number(missing, 0)}.`,
    x: {
      range: codes ? ([-0.6, codes.length - 0.4] as const) : ([low, high] as const),
      label: feature.label,
      text: (value: number) => pen.number(value, places),
      ...(codes && {
        ticks: codeTicks(
          codes.map(({ label: name }) => name),
          pen.width,
        ),
      }),
    },
    y: {
      range,
      label: pen.words.contributionIn(input.space),
      text: (value: number) => pen.tick(value, Math.max(1, upPlaces - 1)),
    },
    below: 6 + legendHeight(entries, pen.width),
  };
  const frame = frameOf(pen, spec);
  const points: PointGeometry = {
    x: Float64Array.from(across, frame.x),
    y: Float64Array.from(up, frame.y),
    tone: Uint8Array.from(chosen, (index) => allTones[index]!),
  };
  return { frame, spec, points, radius: 3, chosen, entries };
}

/** Up to so many points each can be walked to. */
const mostMarks = 200;

/**
 * Draws a feature's SHAP values by its values.
 * @param withPoints false leaves the points out: the page draws those of `dependenceGeometry` on a canvas below
 */
export function renderDependence(
  input: DependenceInput,
  options: PlotOptions & { readonly withPoints?: boolean } = {},
) {
  const pen = penOf(options);
  const { frame, spec, points, radius, chosen, entries } = dependenceGeometry(input, options);
  const { feature } = input;
  const zero = frame.y(0);
  const line = element('line', { x1: frame.left, x2: frame.right, y1: zero, y2: zero, stroke: colours.muted });
  const one = (index: number): PointGeometry => ({
    x: points.x.slice(index, index + 1),
    y: points.y.slice(index, index + 1),
    tone: points.tone.slice(index, index + 1),
  });
  const told = (patient: number): string => {
    const value = feature.values[patient]!;
    const name = feature.codes?.find((code) => code.value === value)?.label ?? spec.x.text(value);
    return `${feature.label}: ${name}; ${spec.y.label}: ${spec.y.text(feature.shap[patient]!)}`;
  };
  const drawn =
    options.withPoints === false
      ? ''
      : chosen.length > mostMarks
        ? drawPoints(points, radius)
        : chosen.map((patient, index) => mark(told(patient), drawPoints(one(index), radius))).join('');
  const place = { width: pen.width, y: frame.bottom + 64 };
  return drawFrame(
    frame,
    { ...spec, ...(options.withPoints === false && { background: 'none' }) },
    line + drawn + legend(entries, place),
  );
}

/** The mean SHAP value by code, or by tenths of the patients, as a table. */
export function dependenceTable(input: DependenceInput, options: PlotOptions = {}): PlotTable {
  const pen = penOf(options);
  const { words } = pen;
  const { spec } = dependenceGeometry(input, options);
  const { feature } = input;
  const order = known(feature).sort((left, right) => feature.values[left]! - feature.values[right]!);
  const groups = feature.codes
    ? feature.codes.map(({ value, label }) => ({
        name: label,
        members: order.filter((index) => feature.values[index] === value),
      }))
    : Array.from({ length: Math.min(10, order.length) }, (_, tenth, count = Math.min(10, order.length)) => {
        const members = order.slice((tenth * order.length) / count, ((tenth + 1) * order.length) / count);
        const [from, to] = [feature.values[members[0]!]!, feature.values[members.at(-1)!]!];
        return { name: `${spec.x.text(from)} – ${spec.x.text(to)}`, members };
      });
  return {
    caption: input.title,
    columns: [feature.label, words.patients, `${words.mean}, ${words.contributionIn(input.space)}`],
    rows: groups.map(({ name, members }) => [
      name,
      pen.number(members.length, 0),
      members.length === 0 ? '' : pen.signed(mean(members.map((index) => feature.shap[index]!)), 3),
    ]),
  };
}
