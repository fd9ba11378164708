import type { TreeEnsemble } from '../tree-ensemble.js';

interface Bounds {
  readonly low: number;
  readonly high: number;
}

/** Returns a lower and an upper bound of one raw output over all rows. */
export function boundsOf(ensemble: TreeEnsemble, output: number): Bounds {
  return boundsOfSum(ensemble, (other) => (other === output ? 1 : 0));
}

/**
 * Returns bounds of the sum of factor x raw output over all rows: the sums of each tree's extreme leaves. Few rows, or
 * none, reach them.
 */
export function boundsOfSum(ensemble: TreeEnsemble, factorOf: (output: number) => number): Bounds {
  const { roots, mode, leafStart, leafOutput, leafWeight, baseValues, trueChild } = ensemble;
  let low = baseValues.reduce((sum, value, output) => sum + value * factorOf(output), 0);
  let high = low;
  for (let tree = 0; tree < roots.length; tree++) {
    const end = roots[tree + 1] ?? mode.length;
    let least = Infinity;
    let most = -Infinity;
    for (let node = roots[tree]!; node < end; node++) {
      if (trueChild[node]! >= 0) continue;
      let weight = 0;
      for (let entry = leafStart[node]!; entry < leafStart[node + 1]!; entry++)
        weight += leafWeight[entry]! * factorOf(leafOutput[entry]!);
      least = Math.min(least, weight);
      most = Math.max(most, weight);
    }
    low += least;
    high += most;
  }
  return { low, high };
}
