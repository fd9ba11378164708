import { z } from 'zod';
import { AdministrativeGender } from '../../models/index.js';
import { authorize } from '../auth/authorize.js';
import type { Viewer } from '../auth/viewer.js';
import { parseInput } from '../input.js';
import type { PatientCondition } from '../scope/patient-records.js';
import { nameSchema } from './patient-input.js';

/**
 * The conditions that choose patients, for lists and for batches. All of them must hold. The schema is strict: it
 * refuses an unknown condition. A schema that dropped it could leave an empty filter, which chooses every patient.
 */
export const patientFilterSchema = z.strictObject({
  /** Medical record number. It identifies a person, as `familyName` does, and needs the right to see names. */
  mrn: z.string().trim().nullish(),
  /** Whole family name; upper and lower case count as equal. */
  familyName: nameSchema.nullish(),
  sex: z.enum(AdministrativeGender).nullish(),
  createdAfter: z.date().nullish(),
  updatedAfter: z.date().nullish(),
});

/** A patient filter as callers send it. All conditions must hold. */
export type PatientFilter = Readonly<z.input<typeof patientFilterSchema>>;

const listSchema = z.object({ filter: patientFilterSchema });

/**
 * Checks a filter that a caller sent.
 * @throws BadUserInputError for an unknown condition, or a name that no patient can have
 */
export const parsePatientFilter = (filter: PatientFilter): PatientFilter => parseInput(listSchema, { filter }).filter;

/** Turns a checked filter into a condition on the patient records. */
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
 * Refuses a filter by a property that the viewer may not read: the matches, and even their number, would tell it. MRN
 * and family name need the right to see names, and sex needs the right to read patients.
 * @throws UnauthenticatedError, ForbiddenError
 */
export function authorizeFilter(
  viewer: Viewer | null,
  { mrn, familyName, sex }: Pick<PatientFilter, 'mrn' | 'familyName' | 'sex'>,
): void {
  if (mrn != null || familyName != null) authorize(viewer, 'patient:read-identity');
  if (sex != null) authorize(viewer, 'patient:read');
}
