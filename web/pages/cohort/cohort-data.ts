import type { CohortFeature } from '../../../src/risk/plots/beeswarm.js';
import type { ConsoleCohortQuery, RiskBand } from '../../generated/graphql.js';
import type { ResultLine } from './result-lines.js';

/** The job of a cohort with its model. */
export type CohortJob = NonNullable<ConsoleCohortQuery['scoringJob']>;
export type CohortModel = NonNullable<CohortJob['model']>;

/** The results of a cohort in columns: one number per patient that has a prediction. */
export interface CohortData {
  /** Patients that were read, failures included. */
  readonly read: number;
  readonly values: readonly number[];
  readonly bands: readonly RiskBand[];
  /** Values of each feature by code; NaN where it was missing. */
  readonly inputs: ReadonlyMap<string, readonly number[]>;
  /** SHAP values by code. Empty when a prediction has no stored ones. */
  readonly shap: ReadonlyMap<string, readonly number[]>;
}

/** Properties of every figure of a cohort. */
export interface FigureProps {
  readonly model: CohortModel;
  readonly data: CohortData;
}

/** Takes lines of results up into columns. */
export function cohortCollector(codes: readonly string[]) {
  const values: number[] = [];
  const bands: RiskBand[] = [];
  const inputs = new Map<string, number[]>(codes.map((code) => [code, []]));
  const shap = new Map<string, number[]>(codes.map((code) => [code, []]));
  let read = 0;
  let hasAll = true;
  return {
    take({ prediction }: ResultLine): void {
      read += 1;
      if (!prediction) return;
      values.push(prediction.value);
      bands.push(prediction.riskBand);
      hasAll &&= prediction.explanation !== null;
      for (const code of codes) {
        inputs.get(code)!.push(prediction.inputs[code] ?? Number.NaN);
        shap.get(code)!.push(prediction.explanation?.contributions[code] ?? 0);
      }
    },
    get read(): number {
      return read;
    },
    data: (): CohortData => ({ read, values, bands, inputs, shap: hasAll ? shap : new Map<string, number[]>() }),
  };
}

/** The features of a cohort as plots take them. */
export function featuresOf(
  { features }: CohortModel,
  { inputs, shap }: CohortData,
): (CohortFeature & {
  readonly code: string;
  readonly codes?: { readonly value: number; readonly label: string }[];
})[] {
  return features.flatMap(({ code, label, unitLabel, codes }) => {
    const [own, contributions] = [inputs.get(code), shap.get(code)];
    if (!own || !contributions) return [];
    return [
      {
        code,
        label: unitLabel === '' ? label : `${label} (${unitLabel})`,
        shap: contributions,
        values: own,
        ...(codes && { codes }),
      },
    ];
  });
}

/**
 * Chooses at most so many patients, evenly from the whole list, so that the same ones are chosen each time.
 * @returns their indices
 */
export function sampleOf(count: number, most: number): number[] {
  const step = Math.max(1, count / most);
  return Array.from({ length: Math.min(count, most) }, (_, index) => Math.floor(index * step));
}

/** Keeps the chosen patients of some features. */
export function chosen<F extends CohortFeature>(features: readonly F[], indices: readonly number[]): F[] {
  return features.map((feature) => ({
    ...feature,
    shap: indices.map((index) => feature.shap[index]!),
    values: indices.map((index) => feature.values[index]!),
  }));
}
