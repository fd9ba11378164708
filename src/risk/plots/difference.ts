/**
 * Draws the change between two predictions, step by step:
 *
 * 1. The contributions of both are joined by the feature's code. The difference of each is what the feature changed.
 * 2. The largest get a bar each; the rest share one. A change of the base value (another model version) has its own bar.
 * 3. The bars run up from the output before to the output after, so that their sum is the whole change.
 */
import { arrow, directionLegend, endpoint, endpointLine, endpointLines, mark } from './marks.js';
import { penOf, type Pen, type PlotOptions, type PlotTable } from './options.js';
import { besideMark, rowAxis, rowLayout } from './rows.js';
import { extent, linear } from './scale.js';
import { figure, heading, headingBottom } from './svg.js';
import { foldSmall, runningTotals, waterfallSteps } from './waterfall.js';

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

/**
 * Draws what changed between two predictions as a waterfall. As that of one prediction it reads upwards: from the
 * output before at the bottom to the output after at the top, and its numbers have as many decimals.
 */
export function renderDifference(input: DifferenceInput, options: PlotOptions = {}): string {
  const pen = penOf(options);
  const { words } = pen;
  const { before, after, space } = input;
  const moving = contributionChanges(input)
    .filter(({ change }) => change !== 0)
    .map(({ label, change, ...sides }) => ({ label, displayValue: valuesOf(sides, words.missing), value: change }));
  const steps = runningTotals(foldSmall(moving, mostBars, pen), before.outputValue);
  const range = extent([before.outputValue, after.outputValue, ...steps.flatMap(({ from, to }) => [from, to])], 0.08);
  // The inside of the figure is narrower than the figure, so this is less than a pixel.
  const places = placesOf(input, steps, (range[1] - range[0]) / pen.width, pen);
  const text = (value: number): string => pen.number(value, places);
  const endOf = ({ name, outputValue }: DifferenceSide): string[] =>
    endpointLines([`${name}:`, text(outputValue)], pen.width);
  const [low, high] = [endOf(before), endOf(after)];
  const more = (low.length - 1) * endpointLine;
  const layout = rowLayout({
    width: pen.width,
    names: steps.map(({ label, displayValue }) => ({ label, detail: displayValue })),
    band: 38,
    top: headingBottom(input.title, input.subtitle, pen.width) + 25 + high.length * endpointLine,
    below: 104 + more,
    right: 84,
  });
  const scale = linear(range, [layout.left, layout.right]);
  const rows = steps.map(({ label, displayValue, value, from, to }, index) => {
    const middle = layout.middle(index);
    const written = pen.arrowed(value, places);
    // A bar of less than a pixel has a number that is zero. It would look like more.
    const bar = written.startsWith('±') ? '' : arrow([scale(from), scale(to)], middle - 10, 20, value > 0);
    return (
      layout.names(index) +
      mark(`${label}${displayValue === '' ? '' : ` (${displayValue})`}: ${written}`, bar) +
      besideMark(layout, [scale(from), scale(to)], middle, written)
    );
  });
  const change = pen.signed(after.outputValue - before.outputValue, places);
  const summary = `${space}: ${before.name} ${text(before.outputValue)}, ${after.name} ${text(after.outputValue)} (${change}).`;
  const description = [
    input.subtitle,
    summary,
    ...steps.map(
      ({ label, displayValue, value }) =>
        `${label}${displayValue && `, ${displayValue}`}: ${pen.signed(value, places)}.`,
    ),
    ...(steps.length === 0 ? [`${words.unchanged}.`] : []),
  ].join(' ');
  return figure(
    layout.width,
    layout.height,
    input.title,
    description,
    heading(input.title, input.subtitle, layout.width) +
      rowAxis(layout, scale, { label: space, text, lower: 18 + more }) +
      rows.join('') +
      endpoint(scale(after.outputValue), layout.top - 5, high, layout.width, true) +
      endpoint(scale(before.outputValue), layout.bottom + 5, low, layout.width, false) +
      directionLegend(words, layout),
  );
}

/**
 * Returns the decimals of a comparison: as many as both waterfalls have, and more where a change that can be seen would
 * read as zero.
 * @param visible the least change that can be seen
 */
function placesOf(
  { before, after }: DifferenceInput,
  changes: readonly { readonly value: number }[],
  visible: number,
  pen: Pick<Pen, 'words'>,
): number {
  const least = Math.min(...changes.map(({ value }) => Math.abs(value)).filter((size) => size > 0 && size >= visible));
  const needed = Number.isFinite(least) ? Math.ceil(-Math.log10(2 * least)) : 0;
  return Math.min(8, Math.max(needed, ...[before, after].map((side) => waterfallSteps(side, pen).places)));
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
  const sizes = changes.map(({ change }) => ({ value: change }));
  const places = placesOf(input, sizes, Math.max(...sizes.map(({ value }) => Math.abs(value))) / 400, pen);
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
