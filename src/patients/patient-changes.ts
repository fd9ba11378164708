import { Types } from 'mongoose';
import { AdministrativeGender, type RecordedFeature } from '../../models/index.js';
import type { Patient } from '../scope/patient.js';
import type { PatientChanges } from '../scope/patient-records.js';
import type { CheckedPatient } from './patient-input.js';

/** A value that a caller gives for a feature; null removes it. */
interface GivenFeature {
  readonly code: string;
  readonly value: number | null;
}

/** Makes a new patient of a checked input. */
export function newPatient({ features, sex, ...identity }: CheckedPatient, now: Date): Omit<Patient, 'organization'> {
  return {
    _id: new Types.ObjectId(),
    ...withoutNulls(identity),
    mrn: identity.mrn,
    sex: sex ?? AdministrativeGender.UNKNOWN,
    features: mergeFeatures([], features ?? [], now),
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
}

/** The values after an update: a given value replaces the one of the same code, null removes it, all others stay. */
export function mergeFeatures(
  present: readonly RecordedFeature[],
  given: readonly GivenFeature[],
  now: Date,
): RecordedFeature[] {
  const replaced = new Set(given.map((feature) => feature.code));
  const recorded = given.flatMap(({ code, value }) => (value === null ? [] : [{ code, value, recordedAt: now }]));
  return [...present.filter((feature) => !replaced.has(feature.code)), ...recorded];
}

/** The parts of an input that differ from what is stored. A null sex means UNKNOWN. */
type Difference = Pick<PatientChanges, 'givenName' | 'familyName' | 'birthDate' | 'sex' | 'careTeam'> & {
  readonly features?: readonly GivenFeature[];
};

/**
 * Compares a checked input with the patient that is stored. An absent field does not differ, and a value that is stored
 * already does not either, so that the same input given twice changes nothing the second time.
 * @returns undefined when nothing differs
 */
export function differenceOf(current: Patient, input: CheckedPatient): Difference | undefined {
  const present = new Map(current.features.map(({ code, value }) => [code, value]));
  const features = (input.features ?? []).filter(({ code, value }) => (present.get(code) ?? null) !== value);
  const texts = (['givenName', 'familyName', 'birthDate'] as const).filter(
    (field) => input[field] !== undefined && (input[field] ?? undefined) !== current[field],
  );
  const sex = input.sex === null ? AdministrativeGender.UNKNOWN : input.sex;
  const difference: Difference = {
    ...Object.fromEntries(texts.map((field) => [field, input[field]])),
    ...(sex !== undefined && sex !== current.sex && { sex }),
    ...(input.careTeam !== undefined && !isSameTeam(input.careTeam, current.careTeam) && { careTeam: input.careTeam }),
    ...(features.length > 0 && { features }),
  };
  return Object.keys(difference).length > 0 ? difference : undefined;
}

/** The changes that write a difference. */
export const changesOf = (current: Patient, { features, ...fields }: Difference, now: Date): PatientChanges => ({
  ...fields,
  ...(features && { features: mergeFeatures(current.features, features, now) }),
  updatedAt: now,
  version: current.version + 1,
});

const isSameTeam = (given: readonly string[] | null, present: readonly string[] | undefined): boolean =>
  given === null
    ? present === undefined
    : present?.length === given.length && given.every((name) => present.includes(name));

/** The fields that are neither absent nor null. */
function withoutNulls<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
