import { goesTrue } from '../trees/route.js';
import { NodeMode, type TreeEnsemble } from '../tree-ensemble.js';

/**
 * A branch brought to the one form the kernels know: it passes when the slot's value is not above the threshold. NaN fails.
 * `passesWhenTrue` says whether the branch's true child is the one taken when it passes.
 */
interface SlotTest {
  readonly slot: number;
  readonly threshold: number;
  readonly passesWhenTrue: boolean;
}

type SlotFiller = (row: Float64Array) => number;

/**
 * The values of a row that the kernels compare, one per slot: a feature as it is; a feature whose missing values count as
 * the lowest of all; or, for a branch that is not an order of two numbers (EQ, NEQ), its outcome, decided beforehand.
 */
export class SlotTable {
  private readonly fillers: SlotFiller[] = [];
  private readonly indexOf = new Map<string, number>();

  constructor(private readonly ensemble: TreeEnsemble) {}

  get count(): number {
    return this.fillers.length;
  }

  /** The test of an inner node, whose slot is made when it is not there yet. */
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

/** The largest number of the precision that is below `value`, so that x < value is x <= nextBelow(value). */
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
