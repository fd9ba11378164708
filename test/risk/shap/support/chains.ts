import { NodeMode, type TreeEnsemble } from '../../../../src/risk/tree-ensemble.js';

/**
 * Makes a tree as a set of categories is written: a chain of EQ branches. All their true children are one and the same
 * split, and the chain ends in a leaf. The branches take turns at the features.
 */
export function categoryChain({ length, featureCount }: { length: number; featureCount: number }): TreeEnsemble {
  const [inside, low, high, last] = [length, length + 1, length + 2, length + 3];
  const count = length + 4;
  const indices = Int32Array.from({ length: count }, (_, node) => node);
  const inChain = (node: number): boolean => node < length;
  return {
    featureCount,
    outputCount: 1,
    precision: 32,
    roots: Int32Array.of(0),
    mode: Uint8Array.from(indices, (node) =>
      inChain(node) ? NodeMode.EQ : node === inside ? NodeMode.LEQ : NodeMode.LEAF,
    ),
    feature: indices.map((node) => (inChain(node) ? node % featureCount : 0)),
    threshold: Float64Array.from(indices, (node) => (inChain(node) ? (node % 9) / 2 - 2 : 0)),
    trueChild: indices.map((node) => (inChain(node) ? inside : node === inside ? low : -1)),
    falseChild: indices.map((node) =>
      inChain(node) ? (node + 1 < length ? node + 1 : last) : node === inside ? high : -1,
    ),
    missingTracksTrue: new Uint8Array(count),
    cover: Float64Array.from(indices, (node) => (node <= length ? 2 * (length + 2 - node) : 2)),
    leafStart: Int32Array.of(...indices.map((node) => Math.max(0, node - low)), 3),
    leafOutput: new Int32Array(3),
    leafWeight: Float64Array.of(-1, 1, 0.25),
    baseValues: Float64Array.of(0.5),
    postTransform: 'NONE',
  };
}
