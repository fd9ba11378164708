import { NodeMode, type TreeEnsemble } from '../../../../src/risk/tree-ensemble.js';
import { type RandomEnsembleShape, randomEnsemble } from './random-ensemble.js';

const everyMode = [NodeMode.LEQ, NodeMode.LT, NodeMode.GTE, NodeMode.GT, NodeMode.EQ, NodeMode.NEQ];

const shapes: Record<string, RandomEnsembleShape> = {
  stumps: { seed: 1, trees: 6, depth: 1, featureCount: 4, earlyLeaves: 0 },
  'single leaves': { seed: 2, trees: 3, depth: 0, featureCount: 3 },
  'a plain forest': { seed: 3, trees: 8, depth: 4, featureCount: 6 },
  'features repeated on every path': { seed: 4, trees: 4, depth: 6, featureCount: 2, earlyLeaves: 0.05 },
  'one feature only': { seed: 5, trees: 3, depth: 5, featureCount: 1 },
  'every branch mode': { seed: 6, trees: 8, depth: 5, featureCount: 5, modes: everyMode },
  'every branch mode in float64': { seed: 7, trees: 6, depth: 5, featureCount: 5, modes: everyMode, precision: 64 },
  'several outputs': { seed: 8, trees: 6, depth: 4, featureCount: 5, outputCount: 3 },
  'covers that do not quite sum': { seed: 9, trees: 6, depth: 5, featureCount: 5, cover: 'ROUGH' },
  'covers of zero': { seed: 10, trees: 8, depth: 5, featureCount: 5, cover: 'SPARSE' },
  'deep and narrow': { seed: 11, trees: 3, depth: 14, featureCount: 8, earlyLeaves: 0.35 },
};

/** Small models of every kind, for comparison with subset enumeration (at most 8 features). */
export const smallModels: readonly (readonly [string, TreeEnsemble])[] = Object.entries(shapes).map(([name, shape]) => [
  name,
  randomEnsemble(shape),
]);
