/**
 * Draws the change between two predictions, step by step:
 *
 * 1. The contributions of both are joined by the feature's code. The difference of each is what the feature changed.
 * 2. The largest get a bar each; the rest share one. A change of the base value (another model version) has its own bar.
 * 3. The bars run from the output before to the output after, so that their sum is the whole change.
 */
import { arrow, directionLegend, endpoint, mark } from './marks.js';
import { penOf, type PlotOptions, type PlotTable } from './options.js';
import { besideMark, rowAxis, rowLayout } from './rows.js';
import { extent, linear } from './scale.js';
import { decimals, figure, heading, headingBottom } from './svg.js';

/** One contribution of an explanation: `value` is the SHAP value, `displayValue` the feature's value with its unit. */
interface NamedContribution {
  readonly code: string;
  readonly label: string;
  readonly displayValue: string;
  readonly value: number;
}

/** One of the two predictions. All contributions are there, in the same output space as those of the other one. */
export interface DifferenceSide {
  /** Tells the two apart, e.g. the time of the prediction. */
  readonly name: string;
  readonly baseValue: number;
  readonly outputValue: number;
  readonly contributions: readonly NamedContribution[];
}

/** The two predictions, and the texts of the figure. */
export interface DifferenceInput {
  readonly title: string;
  /** A line below the title, e.g. both probabilities. */
  readonly subtitle: string;
  /** The output space, e.g. `log-odds`. */
  readonly space: string;
  /** The name of a change of the base value. */
  readonly baseLabel: string;
  readonly before: DifferenceSide;
  readonly after: DifferenceSide;
}

/** The change of one contribution. `before` and `after` are undefined where only one of the models has the feature. */
interface ContributionChange {
  readonly label: string;
  readonly before: NamedContribution | undefined;
  readonly after: NamedContribution | undefined;
  readonly change: number;
}

/** Joins the contributions of two predictions by code; the largest change is first. The sum of changes is that of outputs. */
export function contributionChanges({ before, after, baseLabel }: DifferenceInput): ContributionChange[] {
  const old = new Map(before.contributions.map((contribution) => [contribution.code, contribution]));
  const joined = after.contributions.map((contribution): ContributionChange => {
    const earlier = old.get(contribution.code);
    old.delete(contribution.code);
    return {
      label: contribution.label,
      before: earlier,
      after: contribution,
      change: contribution.value - (earlier?.value ?? 0),
    };
  });
  const gone = [...old.values()].map((earlier): ContributionChange => ({
    label: earlier.label,
    before: earlier,
    after: undefined,
    change: -earlier.value,
  }));
  const sorted = [...joined, ...gone].sort((left, right) => Math.abs(right.change) - Math.abs(left.change));
  const base = after.baseValue - before.baseValue;
  return base === 0 ? sorted : [...sorted, { label: baseLabel, before: undefined, after: undefined, change: base }];
}

/** The maximum number of bars of their own. */
const mostBars = 12;

/** Draws what changed between two predictions as a waterfall from the output before to the output after. */
export function renderDifference(input: DifferenceInput, options: PlotOptions = {}): string {
  const pen = penOf(options);
  const { words } = pen;
  const { before, after, space } = input;
  const changes = contributionChanges(input);
  const moving = changes.filter(({ change }) => change !== 0);
  const shown = moving.slice(0, moving.length <= mostBars ? mostBars : mostBars - 1);
  const rest = moving.slice(shown.length);
  let total = before.outputValue;
  const bars = [
    ...shown.map(({ label, change, ...sides }) => ({ label, change, detail: valuesOf(sides, words.missing) })),
    ...(rest.length === 0
      ? []
      : [
          {
            label: words.otherFeatures(rest.length),
            change: rest.reduce((sum, { change }) => sum + change, 0),
            detail: '',
          },
        ]),
  ].map((bar) => {
    const from = total;
    total += bar.change;
    return { ...bar, from, to: total };
  });
  const places = decimals(Math.max(...bars.map(({ change }) => Math.abs(change)), 1e-9) * 4);
  const top = headingBottom(input.title, input.subtitle, pen.width) + 40;
  const layout = rowLayout({
    width: pen.width,
    rows: bars.length,
    band: 38,
    top,
    below: 104,
    right: 84,
    details: true,
  });
  const ends = [before.outputValue, after.outputValue];
  const scale = linear(extent([...ends, ...bars.map(({ to }) => to)], 0.08), [layout.left, layout.right]);
  const text = (value: number): string => pen.number(value, places);
  const rows = bars.map(({ label, detail, change, from, to }, index) => {
    const middle = layout.middle(index);
    const written = pen.arrowed(change, places);
    return (
      layout.names(index, label, detail) +
      mark(
        `${label}${detail === '' ? '' : ` (${detail})`}: ${written}`,
        arrow([scale(from), scale(to)], middle - 10, 20, change > 0),
      ) +
      besideMark(layout, [scale(from), scale(to)], middle, written)
    );
  });
  const change = pen.signed(after.outputValue - before.outputValue, places);
  const summary = `${space}: ${before.name} ${text(before.outputValue)}, ${after.name} ${text(after.outputValue)} (${change}).`;
  const description = [
    input.subtitle,
    summary,
    ...bars.map((bar) => `${bar.label}${bar.detail && `, ${bar.detail}`}: ${pen.signed(bar.change, places)}.`),
    ...(bars.length === 0 ? [`${words.unchanged}.`] : []),
  ].join(' ');
  const end = ({ name, outputValue }: DifferenceSide, y: number, isAbove: boolean): string =>
    endpoint(scale(outputValue), y, `${name}: ${text(outputValue)}`, layout.width, isAbove);
  return figure(
    layout.width,
    layout.height,
    input.title,
    description,
    heading(input.title, input.subtitle, layout.width) +
      rowAxis(layout, scale, { label: space, text, lower: 18 }) +
      rows.join('') +
      end(before, layout.top - 5, true) +
      end(after, layout.bottom + 5, false) +
      directionLegend(words, layout),
  );
}

function valuesOf({ before, after }: Pick<ContributionChange, 'before' | 'after'>, missing: string): string {
  const [old, next] = [before?.displayValue, after?.displayValue].map((value) => (value === '' ? missing : value));
  if (old === undefined || next === undefined) return old ?? next ?? '';
  return old === next ? old : `${old} → ${next}`;
}

/** The changes as a table: all features, the largest change first. */
export function differenceTable(input: DifferenceInput, options: PlotOptions = {}): PlotTable {
  const pen = penOf(options);
  const { words } = pen;
  const changes = contributionChanges(input);
  const places = decimals(Math.max(...changes.map(({ change }) => Math.abs(change)), 1e-9) * 4);
  const cell = (side: NamedContribution | undefined): string => (side ? pen.signed(side.value, places) : '');
  return {
    caption: `${input.title}. ${words.contributionIn(input.space)}`,
    columns: [
      words.feature,
      `${words.value}, ${input.before.name}`,
      `${words.value}, ${input.after.name}`,
      `${words.contribution}, ${input.before.name}`,
      `${words.contribution}, ${input.after.name}`,
      words.change,
    ],
    rows: changes.map(({ label, before, after, change }) => [
      label,
      before?.displayValue ?? '',
      after?.displayValue ?? '',
      cell(before),
      cell(after),
      pen.signed(change, places),
    ]),
  };
}
