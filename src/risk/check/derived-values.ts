import type { ParsedModel } from '../parse-model.js';
import { goesTrue } from '../trees/route.js';
import { nextFloat, roundTo } from './float-step.js';
import { clamped, type InputFeature } from './input-values.js';

/** A branch and the side of it that a row should take. */
export interface Step {
  readonly node: number;
  readonly onTrueSide: boolean;
}

/** The maximum number of values of a feature that are tried for one row. */
const mostCandidates = 256;

/**
 * Finds input values of features that reach the trees through encoders, bins, logarithms or in several columns. There a
 * threshold has no input value that a formula gives, so values are tried and the change between two is bisected.
 */
export class DerivedValues {
  private readonly candidates = new Map<number, readonly number[]>();
  private readonly changes = new Map<string, readonly number[]>();
  private readonly derived: Uint8Array;

  constructor(
    private readonly model: ParsedModel,
    private readonly features: readonly InputFeature[],
  ) {
    this.derived = Uint8Array.from(features, (feature) =>
      feature.allowed !== undefined || feature.landmarks.length > 0 ? 1 : 0,
    );
    model.comparedColumns.forEach(({ feature, step, approximate }, column) => {
      const straight = Math.abs(step(2) - 2 * step(1) + step(0)) <= 1e-3 * Math.abs(step(1) - step(0));
      if (approximate || !straight || column >= model.featureCount) this.derived[feature] = 1;
    });
  }

  /** Tells whether a feature's values are found by trying. */
  has(feature: number): boolean {
    return this.derived[feature] === 1;
  }

  /** Chooses a value at random: near a landmark, or undefined to leave the choice to the caller. */
  randomValue(feature: number, random: () => number): number | undefined {
    const { allowed, landmarks } = this.features[feature]!;
    if (!allowed && (landmarks.length === 0 || random() < 0.3)) return undefined;
    const values = this.candidatesOf(feature);
    return values[Math.floor(random() * values.length)];
  }

  /** Returns the value of a feature that leads through most of the steps. A value that does so already stays. */
  through(feature: number, current: number, steps: readonly Step[]): number {
    let best = current;
    let bestCount = -1;
    for (const value of [current, ...steps.flatMap(({ node }) => this.around(node)), ...this.candidatesOf(feature)]) {
      let count = 0;
      for (const { node, onTrueSide } of steps) if (this.outcome(node, value) === onTrueSide) count++;
      if (count > bestCount) [best, bestCount] = [value, count];
      if (bestCount === steps.length) break;
    }
    return best;
  }

  /** Returns input values on both sides of a branch, as near to each other as the type allows. */
  around(node: number): readonly number[] {
    const { ensemble } = this.model;
    const key = [ensemble.mode[node], ensemble.feature[node], ensemble.threshold[node]].join(' ');
    const known = this.changes.get(key);
    if (known) return known;
    const column = this.model.comparedColumns[ensemble.feature[node]!]!;
    const input = this.features[column.feature]!;
    const values = this.candidatesOf(column.feature);
    const found: number[] = [];
    for (let index = 1; index < values.length && found.length < 6; index++) {
      const [low, high] = [values[index - 1]!, values[index]!];
      if (this.outcome(node, low) === this.outcome(node, high)) continue;
      found.push(...(input.allowed ? [low, high] : this.bisect(node, input, low, high)));
    }
    const threshold = ensemble.threshold[node]!;
    const result = (found.length > 0 ? found : values.slice(0, 1)).map((value) =>
      column.approximate ? apart(value, threshold, column.step) : value,
    );
    this.changes.set(key, result);
    return result;
  }

  private outcome(node: number, value: number): boolean {
    const { ensemble, comparedColumns: columns } = this.model;
    return goesTrue(ensemble, node, columns[ensemble.feature[node]!]!.step(value));
  }

  private bisect(node: number, input: InputFeature, low: number, high: number): [number, number] {
    const first = this.outcome(node, low);
    let [left, right] = [low, high];
    for (;;) {
      const half = left / 2 + right / 2;
      const middle = input.whole ? Math.floor(half) : roundTo(input.precision, half);
      if (middle <= left || middle >= right) return [left, right];
      if (this.outcome(node, middle) === first) left = middle;
      else right = middle;
    }
  }

  /** Returns values of a feature in ascending order: those allowed, or landmarks with neighbours and the ends. */
  private candidatesOf(feature: number): readonly number[] {
    const known = this.candidates.get(feature);
    if (known) return known;
    const input = this.features[feature]!;
    const { allowed, landmarks, low, high, precision, whole, least, most } = input;
    const spread = high - low || 1;
    const all = allowed ?? [
      ...landmarks.flatMap((value) =>
        whole
          ? [value - 1, value, value + 1]
          : [nextFloat(value, false, precision), value, nextFloat(value, true, precision)],
      ),
      ...landmarks.map((value, index) => (value + (landmarks[index + 1] ?? value + 1)) / 2),
      ...Array.from({ length: 9 }, (_, part) => low + (spread * (part - 2)) / 4),
      ...[least / 1e3, -1e6, -100, 0, 100, 1e6, most / 1e3],
    ];
    const values = [...new Set(all.map((value) => valueIn(input, value)))].sort((left, right) => left - right);
    const stride = Math.ceil(values.length / mostCandidates);
    const kept = values.filter((_, index) => index % stride === 0 || index === values.length - 1);
    this.candidates.set(feature, kept);
    return kept;
  }
}

/** Returns the nearest value of the feature's type. */
function valueIn(input: InputFeature, value: number): number {
  const within = clamped(input, value);
  return input.whole ? Math.round(within) : roundTo(input.precision, within);
}

/**
 * Moves an input value so far from a threshold that the last bits of a logarithm or power do not decide. They are those
 * of the processor.
 */
function apart(value: number, threshold: number, step: (value: number) => number): number {
  const enough = 1e-5 * Math.max(1e-3, Math.abs(threshold));
  const away = step(value) > threshold ? 1 : -1;
  const rising = step(value * (1 + 1e-3) + 1e-6) >= step(value * (1 - 1e-3) - 1e-6) ? 1 : -1;
  for (let distance = 2 ** -20; distance < 2 ** 10; distance *= 2) {
    const moved = Math.fround(value + away * rising * distance * Math.max(1, Math.abs(value)));
    if (Math.abs(step(moved) - threshold) > enough) return moved;
  }
  return value;
}
