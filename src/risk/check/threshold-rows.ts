import { type ParsedModel, prepareRows } from '../parse-model.js';
import { goesTrue } from '../trees/route.js';
import { NodeMode } from '../tree-ensemble.js';
import { Chooser } from './chooser.js';
import { derivedThresholdRows } from './derived-rows.js';
import { aroundThreshold, type InputFeature, inputFeatures, randomValue, towards } from './input-values.js';
import type { ThresholdRows } from './probe-rows.js';
import { seededRandom } from './random.js';

/**
 * Rows that lead to every branch, with the branch's feature on its threshold and one step to either side.
 *
 * 1. A branch that is not tested yet gets three rows. The way to it narrows each feature to an interval.
 * 2. A row has room for one threshold of each feature. Other trees are searched for branches that are not tested yet,
 *    and that these intervals allow. Each takes one feature, and its way narrows the intervals further.
 * 3. The three rows are sent through the trees. A branch is tested when it was reached with all three values.
 */

/** Counts the branches. */
export function branchCount(model: ParsedModel): number {
  return model.ensemble.mode.reduce((sum, mode) => sum + (mode === NodeMode.LEAF ? 0 : 1), 0);
}

const seed = 20_240_533;

/** The maximum number of rows that are made at once. */
const partRows = 6144;

/** Searches for further branches per row, as a multiple of the features. */
const searchesPerFeature = 3;

const allTested = 7;

/** @param branches number of branches to take, evenly chosen; all when the model has no more */
export function* thresholdRows(model: ParsedModel, branches: number): Generator<ThresholdRows> {
  const total = branchCount(model);
  const wanted = Math.min(branches, total);
  let seen = 0;
  const isChosen = (): boolean => {
    seen++;
    return Math.floor((seen * wanted) / total) > Math.floor(((seen - 1) * wanted) / total);
  };
  const chooser = new Chooser(model);
  if (chooser.derives) return yield* derivedThresholdRows(model, chooser, isChosen);
  const width = model.featureCount;
  const search = new BranchSearch(model);
  let part = new Float64Array(partRows * width);
  let rowCount = 0;
  for (let node = 0; node < model.ensemble.mode.length; node++) {
    if (model.ensemble.mode[node] === NodeMode.LEAF) continue;
    if (!isChosen() || search.isTested(node)) continue;
    part.set(search.rowsFor(node), rowCount * width);
    rowCount += 3;
    if (rowCount < partRows) continue;
    yield { rows: part, rowCount, tested: search.tested };
    part = new Float64Array(partRows * width);
    rowCount = 0;
  }
  if (rowCount > 0) yield { rows: part.subarray(0, rowCount * width), rowCount, tested: search.tested };
}

class BranchSearch {
  tested = 0;
  private readonly random = seededRandom(seed);
  private readonly features: InputFeature[];
  private readonly parent: Int32Array;
  /** For each node: input values below, on and above its threshold. */
  private readonly around: Float64Array;
  /** Bits of the values with which a branch was reached: 1 below, 2 on, 4 above. */
  private readonly reached: Uint8Array;
  /** Branches of the subtree that are not tested. */
  private readonly remaining: Int32Array;
  /** Roots of trees that have such branches. */
  private readonly roots: number[];
  private next = 0;
  /** The interval of each feature, and the branch whose threshold it takes (-1: none). */
  private readonly low: Float64Array;
  private readonly high: Float64Array;
  private readonly target: Int32Array;

  constructor(private readonly model: ParsedModel) {
    const { mode, feature, threshold, trueChild, falseChild, roots } = model.ensemble;
    const count = mode.length;
    this.features = inputFeatures(model);
    this.parent = new Int32Array(count).fill(-1);
    this.around = new Float64Array(3 * count);
    this.reached = new Uint8Array(count);
    this.remaining = new Int32Array(count);
    this.roots = [...roots];
    this.low = new Float64Array(model.featureCount);
    this.high = new Float64Array(model.featureCount);
    this.target = new Int32Array(model.featureCount);
    for (let node = count - 1; node >= 0; node--) {
      if (mode[node] === NodeMode.LEAF) continue;
      // A node stands after its parent, so its children's counts are complete.
      const children = [trueChild[node]!, falseChild[node]!] as const;
      this.remaining[node] = 1;
      for (const child of children) {
        this.parent[child] = node;
        this.remaining[node]! += this.remaining[child]!;
      }
      const column = feature[node]!;
      this.around.set(
        aroundThreshold(this.features[column]!, towards(model.comparedColumns[column]!, threshold[node]!)),
        3 * node,
      );
    }
  }

  isTested(node: number): boolean {
    return this.reached[node] === allTested;
  }

  /** Makes three rows for a branch, and marks it and all others that they test. */
  rowsFor(node: number): Float64Array {
    this.low.fill(-Infinity);
    this.high.fill(Infinity);
    this.target.fill(-1);
    for (const step of this.wayTo(node)) this.narrow(step.node, step.toTrue);
    this.take(node);
    for (let search = this.model.featureCount * searchesPerFeature; search > 0 && this.roots.length > 0; search--)
      this.searchTree();
    const rows = this.fill();
    this.mark(rows);
    // A branch that no row can reach would come again and again.
    this.markReached(node, allTested);
    return rows;
  }

  private wayTo(node: number): { node: number; toTrue: boolean }[] {
    const way: { node: number; toTrue: boolean }[] = [];
    for (let child = node; this.parent[child]! >= 0; child = this.parent[child]!) {
      const above = this.parent[child]!;
      way.push({ node: above, toTrue: this.model.ensemble.trueChild[above] === child });
    }
    return way.reverse();
  }

  private take(node: number): void {
    const column = this.model.ensemble.feature[node]!;
    this.target[column] = node;
    this.low[column] = this.high[column] = this.around[3 * node + 1]!;
  }

  /** Looks in the next tree for one branch that is not tested and whose feature is free. */
  private searchTree(): void {
    const { mode, feature, trueChild, falseChild } = this.model.ensemble;
    this.next = (this.next + 1) % this.roots.length;
    const root = this.roots[this.next]!;
    if (this.remaining[root] === 0) {
      this.roots[this.next] = this.roots.at(-1)!;
      this.roots.pop();
      return;
    }
    const before: [column: number, low: number, high: number][] = [];
    for (let node = root; mode[node] !== NodeMode.LEAF && this.remaining[node]! > 0;) {
      const column = feature[node]!;
      const on = this.around[3 * node + 1]!;
      if (this.target[column]! < 0 && !this.isTested(node) && this.low[column]! <= on && on <= this.high[column]!)
        return this.take(node);
      const [yes, no] = [this.remaining[trueChild[node]!]!, this.remaining[falseChild[node]!]!];
      const first = this.random() * (yes + no) < yes;
      before.push([column, this.low[column]!, this.high[column]!]);
      if (this.narrow(node, first)) node = first ? trueChild[node]! : falseChild[node]!;
      else {
        [this.low[column], this.high[column]] = [before.at(-1)![1], before.at(-1)![2]];
        if (!this.narrow(node, !first)) break;
        node = first ? falseChild[node]! : trueChild[node]!;
      }
    }
    for (const [column, low, high] of before.reverse()) [this.low[column], this.high[column]] = [low, high];
  }

  /**
   * Narrows the interval of a branch's feature to one side of its threshold.
   * @returns false when nothing is left; then the interval is the value next to the threshold
   */
  private narrow(node: number, toTrue: boolean): boolean {
    const column = this.model.ensemble.feature[node]!;
    const [below, on, above] = this.around.subarray(3 * node, 3 * node + 3) as unknown as [number, number, number];
    switch (this.model.ensemble.mode[node]) {
      case NodeMode.LEQ:
      case NodeMode.LT:
        return toTrue ? this.limit(column, -Infinity, below) : this.limit(column, above, Infinity);
      case NodeMode.GTE:
      case NodeMode.GT:
        return toTrue ? this.limit(column, above, Infinity) : this.limit(column, -Infinity, below);
      case NodeMode.EQ:
        return toTrue ? this.limit(column, on, on) : this.limit(column, above, Infinity);
      default:
        return toTrue ? this.limit(column, above, Infinity) : this.limit(column, on, on);
    }
  }

  private limit(column: number, from: number, to: number): boolean {
    const low = Math.max(this.low[column]!, from);
    const high = Math.min(this.high[column]!, to);
    const possible = low <= high;
    this.low[column] = possible ? low : from === -Infinity ? to : from;
    this.high[column] = possible ? high : this.low[column]!;
    return possible;
  }

  /** Makes the rows: the values below, on and above the threshold for features with a target, else any in the interval. */
  private fill(): Float64Array {
    const width = this.model.featureCount;
    const rows = new Float64Array(3 * width);
    for (let column = 0; column < width; column++) {
      const target = this.target[column]!;
      const any = Math.min(
        this.high[column]!,
        Math.max(this.low[column]!, randomValue(this.features[column]!, this.random)),
      );
      for (let row = 0; row < 3; row++) rows[row * width + column] = target < 0 ? any : this.around[3 * target + row]!;
    }
    return rows;
  }

  /** Sends the rows to their targets, and marks those that they reach. */
  private mark(rows: Float64Array): void {
    const { ensemble, featureCount: width } = this.model;
    const values = prepareRows(this.model, rows, 3);
    for (const target of this.target) {
      if (target < 0) continue;
      const way = this.wayTo(target);
      let bits = 0;
      for (let row = 0; row < 3; row++)
        if (
          way.every(
            ({ node, toTrue }) => goesTrue(ensemble, node, values[row * width + ensemble.feature[node]!]!) === toTrue,
          )
        )
          bits |= 1 << row;
      this.markReached(target, bits);
    }
  }

  private markReached(node: number, bits: number): void {
    if (this.isTested(node)) return;
    this.reached[node]! |= bits;
    if (!this.isTested(node)) return;
    this.tested++;
    for (let above = node; above >= 0; above = this.parent[above]!) this.remaining[above]!--;
  }
}
