import type { TreeEnsemble } from '../tree-ensemble.js';

/** Returns a lower and an upper bound of one raw output over all rows: the sums of each tree's extreme leaves. */
export function outputBounds(ensemble: TreeEnsemble, output: number): { readonly low: number; readonly high: number } {
  const { roots, mode, leafStart, leafOutput, leafWeight, baseValues, trueChild } = ensemble;
  let low = baseValues[output]!;
  let high = low;
  for (let tree = 0; tree < roots.length; tree++) {
    const end = roots[tree + 1] ?? mode.length;
    let least = Infinity;
    let most = -Infinity;
    for (let node = roots[tree]!; node < end; node++) {
      if (trueChild[node]! >= 0) continue;
      let weight = 0;
      for (let entry = leafStart[node]!; entry < leafStart[node + 1]!; entry++)
        if (leafOutput[entry] === output) weight += leafWeight[entry]!;
      least = Math.min(least, weight);
      most = Math.max(most, weight);
    }
    low += least;
    high += most;
  }
  return { low, high };
}
