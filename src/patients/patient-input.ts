import { z } from 'zod';
import { AdministrativeGender } from '../../models/index.js';
import { normalizeUsername } from '../identity/users/username.js';
import { hasInvisible, identifierText } from '../process/visible-text.js';

const earliestBirthYear = 1850;

function isCalendarDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

const birthDateSchema = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a calendar date, YYYY-MM-DD')
  .refine(isCalendarDate, 'must be a day that exists in the calendar')
  .refine((text) => Number(text.slice(0, 4)) >= earliestBirthYear, `must not be before ${earliestBirthYear}`)
  .refine((text) => text <= new Date().toISOString().slice(0, 10), 'must not be in the future');

const line = (longest: number) =>
  z
    .string('must be a text and not null')
    .trim()
    .min(1, 'must not be empty')
    .max(longest, `must have at most ${longest} characters`)
    .regex(/^[^\p{Cc}]*$/u, 'must have no control characters');

/** A given name or a family name. */
export const nameSchema = line(200);

/** The usernames of a care team, each once, in the form in which usernames are stored. */
export const careTeamSchema = z
  .array(line(200).transform(normalizeUsername))
  .min(1, 'must not be empty: give null to let every clinician see the patient')
  .max(100, 'must have at most 100 members')
  .transform((names) => [...new Set(names)])
  .nullish();

/**
 * One value in the unit of the risk models. `value: null` in an update removes the value. Infinity passes here and is
 * refused by the feature catalogue, whose message names the unit and the range.
 */
const recordedFeatureSchema = z.object({
  code: z.string().max(64, 'must have at most 64 characters'),
  value: z.custom<number | null>((value) => value === null || typeof value === 'number', 'must be a number, or null'),
});

/** A medical record number in one spelling, so that no two patients have numbers that look alike. */
const mrnSchema = line(64)
  .refine((mrn) => !hasInvisible(mrn), 'must have no characters that cannot be seen')
  .transform(identifierText)
  .pipe(line(64));

const identity = {
  mrn: mrnSchema,
  givenName: nameSchema.nullish(),
  familyName: nameSchema.nullish(),
  birthDate: birthDateSchema.nullish(),
  careTeam: careTeamSchema,
  features: z.array(recordedFeatureSchema).max(1000, 'must have at most 1000 features').nullish(),
};

export const createPatientSchema = z.object({ ...identity, sex: z.enum(AdministrativeGender).nullish() });
export type CreatePatient = z.input<typeof createPatientSchema>;

/** Changes to a patient. An absent field stays unchanged. A null field is cleared; a cleared sex becomes UNKNOWN. */
export const updatePatientSchema = z.object({
  ...identity,
  id: z.string(),
  expectedVersion: z.number().int('must be a whole number').min(1, 'must be at least 1'),
  mrn: identity.mrn.optional(),
  sex: z
    .enum(AdministrativeGender)
    .nullish()
    .transform((sex) => (sex === null ? AdministrativeGender.UNKNOWN : sex)),
});
/** The input of an update. The type allows `mrn: null`, so that the schema above can refuse it with a clear message. */
export type UpdatePatient = Omit<z.input<typeof updatePatientSchema>, 'mrn'> & { readonly mrn?: string | null };
