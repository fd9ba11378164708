import { numberTypes } from '../onnx/number-types.js';
import type { TreeEnsemble } from '../tree-ensemble.js';
import { type Column, type Columns, identity, noFeature } from './columns.js';
import type { ModelInput } from './model-inputs.js';

/** One column of the rows that the trees compare, as a function of an input feature. */
export interface ComparedColumn {
  readonly feature: number;
  /** From the value of the feature to the value that the trees compare. */
  readonly step: (value: number) => number;
  readonly landmarks: readonly number[];
  readonly approximate: boolean;
}

/**
 * Collects the columns that trees compare. Each feature's first column has the index of the feature. Its further columns
 * come behind all features, and the feature's column owns them.
 */
export class ComparedColumns {
  private readonly firsts = new Map<number, Column>();
  private readonly extras: Column[] = [];
  /** Positions of the extras, by feature and function. Features without a step share one function. */
  private readonly positions = new Map<number, Map<Column['apply'], number>>();

  constructor(private readonly featureCount: number) {}

  /** Returns the same trees over the collected columns instead of the operator's own. */
  over(ensemble: TreeEnsemble, { columns }: Columns): TreeEnsemble {
    const feature = ensemble.feature.map((index, node) =>
      ensemble.trueChild[node]! < 0 ? 0 : this.positionOf(columns[index]!),
    );
    return { ...ensemble, feature };
  }

  /** Returns all columns, rounded to the types of the inputs and of the comparison. */
  columns(inputs: readonly ModelInput[], precision: 32 | 64): ComparedColumn[] {
    const asInput = inputs.flatMap(({ elementType, columns }) =>
      columns.columns.map(() => numberTypes.get(elementType)!.round),
    );
    const asCompared = precision === 32 ? Math.fround : identity;
    const firsts = asInput.map(
      (_, feature): Column =>
        this.firsts.get(feature) ?? { feature, apply: identity, landmarks: [], approximate: false },
    );
    return [...firsts, ...this.extras].map(({ feature, apply, landmarks, approximate }) => {
      const owner = Math.max(0, feature);
      const round = asInput[owner]!;
      return {
        feature: owner,
        step: apply === identity ? (value) => asCompared(round(value)) : (value) => asCompared(apply(round(value))),
        landmarks,
        approximate,
      };
    });
  }

  private positionOf(column: Column): number {
    const { feature, apply } = column;
    const first = this.firsts.get(feature);
    if (!first && feature !== noFeature) this.firsts.set(feature, column);
    if (feature !== noFeature && (!first || first.apply === apply)) return feature;
    const ofFeature = this.positions.get(feature) ?? new Map<Column['apply'], number>();
    this.positions.set(feature, ofFeature);
    const known = ofFeature.get(apply);
    if (known !== undefined) return known;
    const position = this.featureCount + this.extras.push(column) - 1;
    ofFeature.set(apply, position);
    return position;
  }
}
