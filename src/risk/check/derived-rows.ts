import type { ParsedModel } from '../parse-model.js';
import { NodeMode } from '../tree-ensemble.js';
import type { Chooser } from './chooser.js';
import type { Step } from './derived-values.js';
import type { ThresholdRows } from './probe-rows.js';
import { seededRandom } from './random.js';

const seed = 20_240_532;

/** The maximum number of rows that are made at once. */
const partRows = 8192;

/**
 * Makes three rows for each chosen branch. They lead to the branch; its feature is on the threshold and one step to
 * either side. It serves models whose columns are derived from features, where thresholds have no interval of values.
 * @param isChosen tells of each branch, in the order of the layout, whether it gets rows
 */
export function* derivedThresholdRows(
  model: ParsedModel,
  chooser: Chooser,
  isChosen: () => boolean,
): Generator<ThresholdRows> {
  const random = seededRandom(seed);
  const width = model.featureCount;
  let part = new Float64Array(partRows * width);
  let rowCount = 0;
  let tested = 0;
  const row = new Float64Array(width);
  for (const { node, parents } of branchesWithParents(model)) {
    if (!isChosen()) continue;
    tested++;
    for (let feature = 0; feature < width; feature++) row[feature] = chooser.random(feature, random);
    chooser.lead(row, parents);
    const { feature } = model.comparedColumns[model.ensemble.feature[node]!]!;
    for (const value of chooser.around(node)) {
      row[feature] = value;
      part.set(row, rowCount++ * width);
    }
    if (rowCount + 3 > partRows) {
      yield { rows: part.subarray(0, rowCount * width), rowCount, tested };
      part = new Float64Array(partRows * width);
      rowCount = 0;
    }
  }
  if (rowCount > 0) yield { rows: part.subarray(0, rowCount * width), rowCount, tested };
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
