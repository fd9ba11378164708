import type { ParsedModel } from '../parse-model.js';
import { NodeMode } from '../tree-ensemble.js';
import { roundTo } from './float-step.js';
import { aroundThreshold, clamped, extremes, type InputFeature, inputFeatures, towards } from './input-values.js';
import { seededRandom } from './random.js';

/** Rows for the comparison of ONNX Runtime with the parsed trees: row-major, as the model's inputs. */
export interface ProbeRows {
  readonly rows: Float64Array;
  readonly rowCount: number;
}

const seed = 20_240_531;

/** Makes rows of random values, over and beyond the range that the trees can distinguish. */
export function randomRows(model: ParsedModel, rowCount: number): ProbeRows {
  const random = seededRandom(seed);
  const features = inputFeatures(model);
  const rows = new Float64Array(rowCount * model.featureCount);
  for (let place = 0; place < rows.length; place++)
    rows[place] = randomValue(features[place % model.featureCount]!, random);
  return { rows, rowCount };
}

/** Makes rows with missing values (if the input can hold NaN), all-missing rows, and rows at the ends of the type. */
export function missingAndExtremeRows(model: ParsedModel, rowCount: number): ProbeRows {
  const random = seededRandom(seed + 1);
  const features = inputFeatures(model);
  const rows = new Float64Array(rowCount * model.featureCount);
  for (let place = 0; place < rows.length; place++) {
    const feature = features[place % model.featureCount]!;
    const row = Math.floor(place / model.featureCount);
    const ends = extremes(feature);
    const kind = random();
    if (row === 0 || kind < 0.3) rows[place] = feature.integer ? clamped(feature, 0) : Number.NaN;
    else rows[place] = kind < 0.6 ? ends[Math.floor(random() * ends.length)]! : randomValue(feature, random);
  }
  return { rows, rowCount };
}

/** Counts the branches. Each gives three threshold rows. */
export function branchCount(model: ParsedModel): number {
  return model.ensemble.mode.reduce((sum, mode) => sum + (mode === NodeMode.LEAF ? 0 : 1), 0);
}

/** The maximum number of rows that are made at once. */
const partRows = 8192;

/**
 * Makes three rows for each branch. They lead to the branch; its feature is on the threshold and one step to either
 * side.
 * @param branches number of branches to take, evenly chosen; all when the model has no more
 */
export function* thresholdRows(model: ParsedModel, branches: number): Generator<ProbeRows> {
  const total = branchCount(model);
  const wanted = Math.min(branches, total);
  const random = seededRandom(seed + 2);
  const features = inputFeatures(model);
  const width = model.featureCount;
  let part = new Float64Array(partRows * width);
  let rowCount = 0;
  let seen = 0;
  const row = new Float64Array(width);
  for (const { node, parents } of branchesWithParents(model)) {
    const chosen = Math.floor(((seen + 1) * wanted) / total) > Math.floor((seen * wanted) / total);
    seen++;
    if (!chosen) continue;
    features.forEach((feature, column) => (row[column] = randomValue(feature, random)));
    for (const step of parents) leadThrough(model, features, row, step);
    const column = model.ensemble.feature[node]!;
    for (const value of aroundThreshold(features[column]!, towards(model, column, model.ensemble.threshold[node]!))) {
      row[column] = value;
      part.set(row, rowCount++ * width);
    }
    if (rowCount + 3 > partRows) {
      yield { rows: part.subarray(0, rowCount * width), rowCount };
      part = new Float64Array(partRows * width);
      rowCount = 0;
    }
  }
  if (rowCount > 0) yield { rows: part.subarray(0, rowCount * width), rowCount };
}

interface Step {
  readonly node: number;
  readonly onTrueSide: boolean;
}

/**
 * Gives every branch in layout order, with the branches above it. The layout is depth first: a stack of parents
 * suffices.
 */
function* branchesWithParents(model: ParsedModel): Generator<{ node: number; parents: readonly Step[] }> {
  const { mode, roots, trueChild, falseChild } = model.ensemble;
  for (const root of roots) {
    const stack: { node: number; parents: readonly Step[] }[] = [{ node: root, parents: [] }];
    while (stack.length > 0) {
      const visit = stack.pop()!;
      if (mode[visit.node] === NodeMode.LEAF) continue;
      yield visit;
      stack.push(
        { node: falseChild[visit.node]!, parents: [...visit.parents, { node: visit.node, onTrueSide: false }] },
        { node: trueChild[visit.node]!, parents: [...visit.parents, { node: visit.node, onTrueSide: true }] },
      );
    }
  }
}

/**
 * Moves the row's value to the wanted side of a branch by the smallest step. Later steps on the feature may undo it.
 */
function leadThrough(
  model: ParsedModel,
  features: readonly InputFeature[],
  row: Float64Array,
  { node, onTrueSide }: Step,
): void {
  const column = model.ensemble.feature[node]!;
  const value = towards(model, column, model.ensemble.threshold[node]!);
  const [below, on, above] = aroundThreshold(features[column]!, value) as [number, number, number];
  const current = row[column]!;
  const wantLow = (): number => (current <= below ? current : below);
  const wantHigh = (): number => (current >= above ? current : above);
  switch (model.ensemble.mode[node]) {
    case NodeMode.LEQ:
    case NodeMode.LT:
      row[column] = onTrueSide ? wantLow() : wantHigh();
      break;
    case NodeMode.GTE:
    case NodeMode.GT:
      row[column] = onTrueSide ? wantHigh() : wantLow();
      break;
    case NodeMode.EQ:
      row[column] = onTrueSide ? on : wantHigh();
      break;
    default:
      row[column] = onTrueSide ? wantHigh() : on;
  }
}

function randomValue(feature: InputFeature, random: () => number): number {
  const spread = feature.high - feature.low || 1;
  const value = feature.low - 0.1 * spread + random() * 1.2 * spread;
  return feature.whole ? Math.round(clamped(feature, value)) : roundTo(feature.precision, value);
}
