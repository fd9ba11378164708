import { boundsOfSum } from '../trees/output-bounds.js';
import type { ParsedTrees } from '../trees/parsed-trees.js';

/** A number per row that is a sum of tree outputs: offset + the sum of factor x raw output, over operators and outputs. */
export interface TreeSum {
  readonly offset: number;
  /** Factor by output, by tree operator. No factor is 0. */
  readonly terms: ReadonlyMap<ParsedTrees, ReadonlyMap<number, number>>;
}

export function constantSum(offset: number): TreeSum {
  return { offset, terms: new Map() };
}

export function outputSum(trees: ParsedTrees, output: number): TreeSum {
  return { offset: 0, terms: new Map([[trees, new Map([[output, 1]])]]) };
}

/** Computes factor x sum + shift. */
export function affineSum(sum: TreeSum, factor: number, shift: number): TreeSum {
  if (factor === 0) return constantSum(shift);
  return {
    offset: factor * sum.offset + shift,
    terms: new Map(
      [...sum.terms].map(([trees, factors]) => [
        trees,
        new Map([...factors].map(([output, value]) => [output, factor * value])),
      ]),
    ),
  };
}

export function addSums(left: TreeSum, right: TreeSum): TreeSum {
  const terms = new Map(left.terms);
  for (const [trees, factors] of right.terms) {
    const merged = new Map(terms.get(trees));
    for (const [output, factor] of factors) {
      const total = (merged.get(output) ?? 0) + factor;
      if (total === 0) merged.delete(output);
      else merged.set(output, total);
    }
    if (merged.size > 0) terms.set(trees, merged);
    else terms.delete(trees);
  }
  return { offset: left.offset + right.offset, terms };
}

export function isConstant(sum: TreeSum): boolean {
  return sum.terms.size === 0;
}

export function termCount(sum: TreeSum): number {
  let count = 1;
  for (const factors of sum.terms.values()) count += factors.size;
  return count;
}

/** Returns 1 or -1 when the varying part of `sum` is that of `other`, or its opposite; else undefined. */
export function sameOrOpposite(sum: TreeSum, other: TreeSum): 1 | -1 | undefined {
  if (sum.terms.size !== other.terms.size || isConstant(sum)) return undefined;
  return ([1, -1] as const).find((sign) =>
    [...sum.terms].every(([trees, factors]) => {
      const others = other.terms.get(trees);
      return (
        others?.size === factors.size && [...factors].every(([output, factor]) => others.get(output) === sign * factor)
      );
    }),
  );
}

/** Returns bounds of a sum: each tree gives its lowest or its highest leaf. Few rows, or none, reach the bounds. */
export function rangeOfSum(sum: TreeSum): { low: number; high: number } {
  const range = { low: sum.offset, high: sum.offset };
  for (const [{ ensemble }, factors] of sum.terms) {
    const own = boundsOfSum(ensemble, (output) => factors.get(output) ?? 0);
    range.low += own.low;
    range.high += own.high;
  }
  return range;
}
