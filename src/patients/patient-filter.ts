import { z } from 'zod';
import { AdministrativeGender } from '../../models/index.js';
import { authorize } from '../auth/authorize.js';
import type { Viewer } from '../auth/viewer.js';
import { parseInput } from '../input.js';
import type { PatientCondition } from '../scope/patient-records.js';
import { nameSchema } from './patient-input.js';

/**
 * The conditions that patients are chosen by, for a list and for a batch alike. All of them must hold. Strict: a condition
 * that is not known here would otherwise be dropped, and an empty filter chooses every patient.
 */
export const patientFilterSchema = z.strictObject({
  /** Identifies a person, as `familyName` does: needs the right to see names. */
  mrn: z.string().trim().nullish(),
  /** Whole family name, upper and lower case alike. */
  familyName: nameSchema.nullish(),
  sex: z.enum(AdministrativeGender).nullish(),
  createdAfter: z.date().nullish(),
  updatedAfter: z.date().nullish(),
});

/** All conditions must hold. */
export type PatientFilter = Readonly<z.input<typeof patientFilterSchema>>;

const listSchema = z.object({ filter: patientFilterSchema });

/**
 * A filter as a caller sent it, checked.
 * @throws BadUserInputError for an unknown condition, or a name that no patient can have
 */
export const parsePatientFilter = (filter: PatientFilter): PatientFilter => parseInput(listSchema, { filter }).filter;

/** The condition on the records that a checked filter stands for. */
export function patientQuery({ mrn, familyName, sex, createdAfter, updatedAfter }: PatientFilter): PatientCondition {
  return {
    ...(mrn != null && { mrn }),
    ...(familyName != null && { familyName }),
    ...(sex != null && { sex }),
    ...(createdAfter != null && { createdAt: { $gt: createdAfter } }),
    ...(updatedAfter != null && { updatedAt: { $gt: updatedAfter } }),
  };
}

/**
 * Refuses a filter that would tell a viewer without the right to names who a patient is.
 * @throws UnauthenticatedError, ForbiddenError
 */
export function authorizeFilter(
  viewer: Viewer | null,
  { mrn, familyName }: Pick<PatientFilter, 'mrn' | 'familyName'>,
): void {
  if (mrn != null || familyName != null) authorize(viewer, 'patient:read-identity');
}
