import { goesTrue } from '../trees/route.js';
import { NodeMode, type TreeEnsemble } from '../tree-ensemble.js';

/**
 * A branch in the only form that the kernels know. It passes when the slot's value is not above the threshold. NaN
 * fails. When `passesWhenTrue` is true, passing leads to the branch's true child; else to its false child.
 */
interface SlotTest {
  readonly slot: number;
  readonly threshold: number;
  readonly passesWhenTrue: boolean;
}

type SlotFiller = (row: Float64Array) => number;

/**
 * Computes the values of a row that the kernels compare, one per slot. A slot is one of three kinds:
 *
 * - a feature's value, unchanged;
 * - a feature's value, where a missing one counts as the lowest;
 * - the outcome of a branch that does not order two numbers (EQ, NEQ), decided beforehand.
 */
export class SlotTable {
  private readonly fillers: SlotFiller[] = [];
  private readonly indexOf = new Map<string, number>();

  constructor(private readonly ensemble: TreeEnsemble) {}

  get count(): number {
    return this.fillers.length;
  }

  /** Returns the test of an inner node. Its slot is made when it does not exist yet. */
  testOf(node: number): SlotTest {
    const { ensemble } = this;
    const feature = ensemble.feature[node]!;
    const threshold = ensemble.threshold[node]!;
    const mode = ensemble.mode[node]!;
    const strict = mode === NodeMode.LT || mode === NodeMode.GTE;
    const ordered = strict || mode === NodeMode.LEQ || mode === NodeMode.GT;
    if (!ordered || Number.isNaN(threshold) || (strict && threshold === -Infinity)) return this.decided(node);
    const passesWhenTrue = mode === NodeMode.LEQ || mode === NodeMode.LT;
    const missingPasses = goesTrue(ensemble, node, Number.NaN) === passesWhenTrue;
    const slot = missingPasses
      ? this.slot(`lowest ${feature}`, (row) => (Number.isNaN(row[feature]) ? -Infinity : row[feature]!))
      : this.slot(`plain ${feature}`, (row) => row[feature]!);
    return { slot, threshold: strict ? nextBelow(threshold, ensemble.precision) : threshold, passesWhenTrue };
  }

  /** @param row in the precision of the model */
  fill(row: Float64Array, into: Float64Array, offset: number): void {
    for (let slot = 0; slot < this.fillers.length; slot++) into[offset + slot] = this.fillers[slot]!(row);
  }

  private decided(node: number): SlotTest {
    const { ensemble } = this;
    const key = [
      ensemble.mode[node],
      ensemble.feature[node],
      ensemble.threshold[node],
      ensemble.missingTracksTrue[node],
    ].join(' ');
    const slot = this.slot(key, (row) => (goesTrue(ensemble, node, row[ensemble.feature[node]!]!) ? 0 : 1));
    return { slot, threshold: 0, passesWhenTrue: true };
  }

  private slot(key: string, filler: SlotFiller): number {
    const index = this.indexOf.get(key) ?? this.fillers.push(filler) - 1;
    this.indexOf.set(key, index);
    return index;
  }
}

/** Returns the largest number of the precision below `value`. So x < value means x <= nextBelow(value). */
export function nextBelow(value: number, precision: 32 | 64): number {
  if (value === 0) return precision === 32 ? -(2 ** -149) : -Number.MIN_VALUE;
  if (precision === 32) {
    const bits = new Int32Array(Float32Array.of(value).buffer);
    bits[0]! += value > 0 ? -1 : 1;
    return new Float32Array(bits.buffer)[0]!;
  }
  const bits = new BigInt64Array(Float64Array.of(value).buffer);
  bits[0]! += value > 0 ? -1n : 1n;
  return new Float64Array(bits.buffer)[0]!;
}
