import type { ComparedColumn } from '../graph/compared-columns.js';
import type { ParsedModel } from '../parse-model.js';
import { NodeMode } from '../tree-ensemble.js';
import { DerivedValues, type Step } from './derived-values.js';
import { aroundThreshold, type InputFeature, inputFeatures, randomValue, towards } from './input-values.js';

/** Chooses values of features: at random, on both sides of a branch, or along a path. */
export class Chooser {
  readonly features: readonly InputFeature[];
  private readonly derived: DerivedValues;

  constructor(private readonly model: ParsedModel) {
    this.features = inputFeatures(model);
    this.derived = new DerivedValues(model, this.features);
  }

  /** True when a feature's values are found by trying; see `DerivedValues`. */
  get derives(): boolean {
    return this.features.some((_, feature) => this.derived.has(feature));
  }

  random(feature: number, random: () => number): number {
    return this.derived.randomValue(feature, random) ?? randomValue(this.features[feature]!, random);
  }

  /** Returns three values: on a branch's threshold and one step to either side. */
  around(node: number): readonly number[] {
    const column = this.columnOf(node);
    if (!this.derived.has(column.feature))
      return aroundThreshold(this.features[column.feature]!, towards(column, this.model.ensemble.threshold[node]!));
    const values = this.derived.around(node);
    return [0, 1, 2].map((index) => values[index % values.length]!);
  }

  /** Moves the row's values to the wanted side of each branch, by small steps. Later branches may undo earlier ones. */
  lead(row: Float64Array, path: readonly Step[]): void {
    const derived = new Map<number, Step[]>();
    for (const step of path) {
      const { feature } = this.columnOf(step.node);
      if (!this.derived.has(feature)) this.leadThrough(row, step);
      else if (derived.has(feature)) derived.get(feature)!.push(step);
      else derived.set(feature, [step]);
    }
    for (const [feature, steps] of derived) row[feature] = this.derived.through(feature, row[feature]!, steps);
  }

  private columnOf(node: number): ComparedColumn {
    return this.model.comparedColumns[this.model.ensemble.feature[node]!]!;
  }

  private leadThrough(row: Float64Array, { node, onTrueSide }: Step): void {
    const { feature } = this.columnOf(node);
    const [below, on, above] = this.around(node) as [number, number, number];
    const current = row[feature]!;
    const wantLow = (): number => (current <= below ? current : below);
    const wantHigh = (): number => (current >= above ? current : above);
    switch (this.model.ensemble.mode[node]) {
      case NodeMode.LEQ:
      case NodeMode.LT:
        row[feature] = onTrueSide ? wantLow() : wantHigh();
        break;
      case NodeMode.GTE:
      case NodeMode.GT:
        row[feature] = onTrueSide ? wantHigh() : wantLow();
        break;
      case NodeMode.EQ:
        row[feature] = onTrueSide ? on : wantHigh();
        break;
      default:
        row[feature] = onTrueSide ? wantHigh() : on;
    }
  }
}
