import { AdministrativeGender, type RecordedFeature } from '../../models/index.js';
import type { ModelFeature, RiskModelManifest } from '../risk/manifest.js';
import type { FeatureValues } from '../risk/risk-model.js';
import type { Patient } from '../scope/patient.js';

/**
 * The parts of a patient that a model may see. The birth date is read, and so decrypted, only for a model that needs
 * the age.
 */
export type ModelSubject = Pick<Patient, 'birthDate' | 'sex'> & {
  readonly features: readonly Pick<RecordedFeature, 'code' | 'value'>[];
};

/**
 * The values of a patient that a model asks for. A value recorded as a feature is used first. Without one, age and sex
 * come from the patient's own record. Features of other models are left out.
 * @param on the day for which the age is wanted
 */
export function modelInputs(manifest: RiskModelManifest, patient: ModelSubject, on: Date): FeatureValues {
  const recorded = new Map(patient.features.map((feature) => [feature.code, feature.value]));
  return Object.fromEntries(
    manifest.features.map((feature) => [
      feature.code,
      recorded.has(feature.code) ? recorded.get(feature.code)! : derivedInput(feature, patient, on),
    ]),
  );
}

/** The value of a feature without a recorded value, from birth date or sex; null if its model takes it from neither. */
export function derivedInput(
  { source }: Pick<ModelFeature, 'source'>,
  patient: { readonly birthDate?: string; readonly sex?: string },
  on: Date,
): number | null {
  if (source === 'PATIENT_AGE') return ageInYears(patient.birthDate, on);
  return source === 'PATIENT_SEX' ? sexCode(patient.sex) : null;
}

/** Completed years of life on a day (UTC); null without a birth date. */
export function ageInYears(birthDate: string | undefined, on: Date): number | null {
  if (birthDate === undefined) return null;
  const [year, month, day] = birthDate.split('-').map(Number) as [number, number, number];
  const hadBirthday = on.getUTCMonth() + 1 > month || (on.getUTCMonth() + 1 === month && on.getUTCDate() >= day);
  return on.getUTCFullYear() - year - (hadBirthday ? 0 : 1);
}

/** The sex as risk models code it: 1 male, 0 female. OTHER and UNKNOWN count as missing. */
function sexCode(sex: string | undefined): number | null {
  if (sex === AdministrativeGender.MALE) return 1;
  return sex === AdministrativeGender.FEMALE ? 0 : null;
}
