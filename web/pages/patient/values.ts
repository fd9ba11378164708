import type { PatientPageModelFragment, PatientPageQuery } from '../../generated/graphql.js';
import type { Formats } from '../../texts/formats.js';

export type Model = PatientPageModelFragment;
export type Feature = Model['features'][number];
export type ShownPatient = NonNullable<PatientPageQuery['patient']>;

/** Writes numbers in the language of the reader. */
export type Numbers = Pick<Formats, 'number' | 'percent'>;

/** Digits after the point of a value of a feature, at most. */
const valueDigits = 6;

/** Returns a space and the label of a unit; nothing for a value without one. */
export const unitOf = ({ unitLabel }: { readonly unitLabel: string }): string => unitLabel && `\u00a0${unitLabel}`;

/** Writes a value with its unit, or the label of its code. */
export function valueText(
  feature: Pick<Feature, 'codes' | 'unitLabel'>,
  value: number,
  { number }: Pick<Numbers, 'number'>,
): string {
  const code = feature.codes?.find((known) => known.value === value);
  return code ? code.label : `${number(value, valueDigits)}${unitOf(feature)}`;
}

/** Writes the answer of a model: a percentage, or a quantity with its unit. */
export function answerText(
  result: { readonly probability?: number | null; readonly value: number; readonly unit: string },
  model: Pick<Model, 'quantity'> | null | undefined,
  { number, percent }: Numbers,
): string {
  if (result.probability != null) return percent(result.probability);
  return `${number(result.value)}${unitOf({ unitLabel: model?.quantity?.unitLabel ?? result.unit })}`;
}

/** The origin of a value: a recorded one, one of the patient's record (age, sex), or none. */
type Origin = 'recorded' | 'record' | 'missing';

/** One row of the table of values. */
export interface ValueRow {
  readonly feature: Feature;
  readonly origin: Origin;
  /** The number. Undefined for a missing value, and for the sex of the record. */
  readonly value?: number;
  /** Time when the value was recorded. */
  readonly recordedAt?: string;
}

/**
 * Lists the inputs of a model with the patient's values, in the order of the model. As for the model, a recorded value
 * goes before the age and the sex of the record.
 */
export function valueRows(model: Pick<Model, 'features'>, patient: ShownPatient): ValueRow[] {
  const recorded = new Map(patient.features?.map((feature) => [feature.code, feature]));
  return model.features.map((feature): ValueRow => {
    const found = recorded.get(feature.code);
    if (found) return { feature, origin: 'recorded', value: found.value, recordedAt: found.recordedAt };
    if (feature.code === 'age' && patient.age != null) return { feature, origin: 'record', value: patient.age };
    const known = patient.sex === 'FEMALE' || patient.sex === 'MALE';
    return { feature, origin: feature.code === 'sex' && known ? 'record' : 'missing' };
  });
}

/** Lists the recorded values that the model does not use. */
export function otherValues(model: Pick<Model, 'features'>, patient: ShownPatient) {
  const used = new Set(model.features.map(({ code }) => code));
  return (patient.features ?? []).filter(({ code }) => !used.has(code));
}

/** Tells whether a value was recorded, or the record changed, after a result was made. */
export const isOutdated = (patient: ShownPatient, result: { readonly createdAt: string }): boolean =>
  (patient.features ?? []).some(({ recordedAt }) => Date.parse(recordedAt) > Date.parse(result.createdAt));
