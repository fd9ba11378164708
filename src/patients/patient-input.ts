import { z } from 'zod';
import { AdministrativeGender } from '../../models/index.js';

const earliestBirthYear = 1850;

function isCalendarDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

const birthDateSchema = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a calendar date, YYYY-MM-DD')
  .refine(isCalendarDate, 'is no day of the calendar')
  .refine((text) => Number(text.slice(0, 4)) >= earliestBirthYear, `must not be before ${earliestBirthYear}`)
  .refine((text) => text <= new Date().toISOString().slice(0, 10), 'must not be in the future');

const nameSchema = z.string().trim().min(1, 'must not be empty').max(200, 'must have at most 200 characters');

/** One value in the unit of the risk models. `value: null` in an update removes it. */
const featureSchema = z.object({
  code: z.string().max(64, 'must have at most 64 characters'),
  value: z.number('must be a finite number').nullable(),
});

const identity = {
  mrn: z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(64, 'must have at most 64 characters')
    .regex(/^[^\p{Cc}]*$/u, 'must have no control characters'),
  givenName: nameSchema.nullish(),
  familyName: nameSchema.nullish(),
  birthDate: birthDateSchema.nullish(),
  features: z.array(featureSchema).max(1000, 'must have at most 1000 features').nullish(),
};

export const createPatientSchema = z.object({ ...identity, sex: z.enum(AdministrativeGender).nullish() });
export type CreatePatient = z.input<typeof createPatientSchema>;

/** Absent leaves as it is; null clears. */
export const updatePatientSchema = z.object({
  ...identity,
  id: z.string(),
  expectedVersion: z.number().int('must be a whole number').min(1, 'must be at least 1'),
  mrn: identity.mrn.optional(),
  sex: z.enum(AdministrativeGender).optional(),
});
export type UpdatePatient = z.input<typeof updatePatientSchema>;
