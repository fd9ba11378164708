import type { ParsedTrees } from '../trees/parsed-trees.js';
import type { PostTransform } from '../tree-ensemble.js';
import { linear, linked, type TreeFunction } from './tree-functions.js';
import { affineSum, constantSum, outputSum, type TreeSum } from './tree-sums.js';

/** Returns the columns of a tree operator's scores as ONNX Runtime writes them (see `ScoreLayout`). */
export function comparedColumns(trees: ParsedTrees): TreeFunction[] {
  const { outputCount, postTransform, leafWeight } = trees.ensemble;
  const sums = Array.from({ length: outputCount }, (_, output) => outputSum(trees, output));
  const score = sums[0]!;
  switch (trees.scoreLayout) {
    case 'PLAIN':
      return transformed(sums, postTransform);
    case 'SECOND_OF_TWO':
      return transformed([constantSum(0), score], postTransform);
    case 'SECOND_CLASS':
      if (postTransform === 'PROBIT') return [linked('PROBIT', [score]), linked('UNWRITTEN', [score])];
      if (postTransform === 'LOGISTIC') return transformed([affineSum(score, -1, 0), score], 'LOGISTIC');
      return [linear(affineSum(score, -1, leafWeight.every((weight) => weight >= 0) ? 1 : 0)), linear(score)];
  }
}

function transformed(sums: readonly TreeSum[], postTransform: PostTransform): TreeFunction[] {
  switch (postTransform) {
    case 'NONE':
      return sums.map(linear);
    case 'LOGISTIC':
    case 'PROBIT':
      return sums.map((sum) => linked(postTransform, [sum]));
    case 'SOFTMAX':
    case 'SOFTMAX_ZERO':
      return sums.map((_, place) => linked(postTransform, sums, place));
  }
}
