import type { CombinedError } from '@urql/core';
import type { PatientPageModelFragment, PatientPageQuery } from '../../generated/graphql.js';

export type Model = PatientPageModelFragment;
export type Feature = Model['features'][number];
export type ShownPatient = NonNullable<PatientPageQuery['patient']>;

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

/**
 * Lists the needed values of the patient that are missing, when a refusal is about them.
 * @returns none when the refusal has another reason too, which its own words tell
 */
export function neededValues({ graphQLErrors }: CombinedError, model: Pick<Model, 'features'>, patient: ShownPatient) {
  const missing = valueRows(model, patient)
    .filter(({ feature, origin }) => origin === 'missing' && feature.missing.policy === 'REQUIRED')
    .map(({ feature }) => feature);
  const issues = graphQLErrors.flatMap(
    ({ extensions }) => (extensions['fields'] ?? [undefined]) as ({ readonly message: string } | undefined)[],
  );
  const isForeseen = issues.every((issue) => missing.some(({ code }) => issue?.message.startsWith(`${code} `)));
  return issues.length > 0 && isForeseen ? missing : [];
}

/** Tells whether a value was recorded, or the record changed, after a result was made. */
export const isOutdated = (patient: ShownPatient, result: { readonly createdAt: string }): boolean =>
  (patient.features ?? []).some(({ recordedAt }) => Date.parse(recordedAt) > Date.parse(result.createdAt));
