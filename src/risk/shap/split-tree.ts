import type { TreeEnsemble } from '../tree-ensemble.js';
import { coverFraction, isLeaf, leafWeightOf } from './routing.js';
import type { SlotTable } from './slots.js';

/** Side of a split: 0 when its test passes, 1 when it fails. */
type Side = 0 | 1;

/** An inner node of a tree, for one output. A child that is a leaf is given as its weight. */
export interface Split {
  readonly feature: number;
  readonly slot: number;
  readonly threshold: number;
  /** The child when the test passes, then the child when it fails. */
  readonly children: readonly [SplitOrLeaf, SplitOrLeaf];
  /** Share of the split's cover that went to each child; [0, 0] when the model has no covers. */
  readonly fractions: readonly [number, number];
  /** The nearest split above on the same feature, and the side of it that this split is on. */
  readonly earlier: EarlierSide | null;
  /** Product of the cover fractions of the feature's splits above; 1 when there are none. */
  readonly earlierFraction: number;
}

export interface EarlierSide {
  readonly split: Split;
  readonly side: Side;
}

/** A split, or the weight of a leaf. */
export type SplitOrLeaf = Split | number;

export interface SplitTree {
  readonly root: SplitOrLeaf;
  /** The maximum number of different features on a path from the root to a leaf. */
  readonly featuresOnPath: number;
}

/** Lists every tree that can change the output, in order. Trees of a single leaf or of weight 0 are left out. */
export function splitTrees(ensemble: TreeEnsemble, output: number, slots: SlotTable): SplitTree[] {
  return Array.from(ensemble.roots, (root) => splitTree(ensemble, root, output, slots)).filter(
    ({ root }) => typeof root !== 'number' && !weighsNothing(root),
  );
}

function splitTree(ensemble: TreeEnsemble, root: number, output: number, slots: SlotTable): SplitTree {
  const { cover } = ensemble;
  const path = new Map<number, EarlierSide>();
  let featuresOnPath = 0;

  function visit(node: number): SplitOrLeaf {
    if (isLeaf(ensemble, node)) {
      featuresOnPath = Math.max(featuresOnPath, path.size);
      return leafWeightOf(ensemble, node, output);
    }
    const { slot, threshold, passesWhenTrue } = slots.testOf(node);
    const [yes, no] = [ensemble.trueChild[node]!, ensemble.falseChild[node]!];
    const nodes = passesWhenTrue ? ([yes, no] as const) : ([no, yes] as const);
    const column = ensemble.feature[node]!;
    const feature = ensemble.owner?.[column] ?? column;
    const fractions = cover
      ? ([coverFraction(cover, node, nodes[0]), coverFraction(cover, node, nodes[1])] as const)
      : ([0, 0] as const);
    const earlier = path.get(feature) ?? null;
    const earlierFraction = earlier ? earlier.split.earlierFraction * earlier.split.fractions[earlier.side] : 1;
    const children: [SplitOrLeaf, SplitOrLeaf] = [0, 0];
    const split: Split = { feature, slot, threshold, children, fractions, earlier, earlierFraction };
    for (const side of [0, 1] as const) {
      path.set(feature, { split, side });
      children[side] = visit(nodes[side]);
    }
    if (earlier) path.set(feature, earlier);
    else path.delete(feature);
    return split;
  }

  return { root: visit(root), featuresOnPath };
}

/** Lists every split of a tree, parents before their children. */
export function splitsOf({ root }: SplitTree): Split[] {
  const splits: Split[] = [];
  const add = (tree: SplitOrLeaf): void => {
    if (typeof tree === 'number') return;
    splits.push(tree);
    tree.children.forEach(add);
  };
  add(root);
  return splits;
}

function weighsNothing(tree: SplitOrLeaf): boolean {
  return typeof tree === 'number' ? tree === 0 : tree.children.every(weighsNothing);
}
