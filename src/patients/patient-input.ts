import { z } from 'zod';
import { AdministrativeGender } from '../../models/index.js';
import type { FieldError } from '../errors.js';
import { normalizeUsername } from '../identity/users/username.js';
import { boundedList, checkInput } from '../input.js';
import { hasInvisible, identifierText, mixesAlphabets } from '../process/visible-text.js';

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

/** Most members of a care team. */
export const largestCareTeam = 100;

/** The usernames of a care team, each once, in the form in which usernames are stored. */
export const careTeamSchema = boundedList(
  line(200).transform(normalizeUsername),
  largestCareTeam,
  `must have at most ${largestCareTeam} members`,
)
  .refine((names) => names.length > 0, 'must not be empty: give null to let every clinician see the patient')
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
export const mrnSchema = line(64)
  .refine((mrn) => !hasInvisible(mrn), 'must have no characters that cannot be seen')
  .transform(identifierText)
  .pipe(line(64))
  .refine(
    (mrn) => !mixesAlphabets(mrn),
    'must not mix letters of several alphabets, because many of them look the same',
  );

const identity = {
  mrn: mrnSchema,
  givenName: nameSchema.nullish(),
  familyName: nameSchema.nullish(),
  birthDate: birthDateSchema.nullish(),
  careTeam: careTeamSchema,
  features: boundedList(recordedFeatureSchema, 1000, 'must have at most 1000 features').nullish(),
};

const sexSchema = z.enum(
  AdministrativeGender,
  `must be a value of the enum AdministrativeGender: ${Object.values(AdministrativeGender).join(', ')}`,
);

export const createPatientSchema = z.object({ ...identity, sex: sexSchema.nullish() });
export type CreatePatient = z.input<typeof createPatientSchema>;
/** A new patient, or values for one with this MRN, after the check. */
export type CheckedPatient = z.output<typeof createPatientSchema>;

/** Changes to a patient. An absent field stays unchanged. A null field is cleared; a cleared sex becomes UNKNOWN. */
export const updatePatientSchema = z.object({
  ...identity,
  id: z.string(),
  expectedVersion: z.number().int('must be a whole number').min(1, 'must be at least 1'),
  mrn: identity.mrn.optional(),
  sex: sexSchema.nullish().transform((sex) => (sex === null ? AdministrativeGender.UNKNOWN : sex)),
});
/** The input of an update. The type allows `mrn: null`, so that the schema above can refuse it with a clear message. */
export type UpdatePatient = Omit<z.input<typeof updatePatientSchema>, 'mrn'> & { readonly mrn?: string | null };

/** The outcome of the check of one patient: the patient, or all issues with it. */
export type PatientCheck = { readonly patient: CheckedPatient } | { readonly issues: readonly FieldError[] };

/** The parts of an input that have further checks, each parsed without the others. */
const checkedParts = { features: identity.features, careTeam: careTeamSchema };

/**
 * Checks a patient as a caller gives it, and finds all issues at once.
 * @param further checks of the parts that are well-formed, even when others are not. Their paths begin at the input
 */
export function checkPatient(
  input: unknown,
  further: {
    features(features: readonly { readonly code: string; readonly value: number | null }[]): readonly FieldError[];
    careTeam(careTeam: readonly string[]): readonly FieldError[];
  },
): PatientCheck {
  const checked = checkInput(createPatientSchema, input);
  const { features, careTeam } = (typeof input === 'object' && input !== null ? input : {}) as Partial<CreatePatient>;
  const values = checkInput(checkedParts.features, features);
  const members = checkInput(checkedParts.careTeam, careTeam);
  const issues = [
    ...('issues' in checked ? checked.issues : []),
    ...('data' in values && values.data ? further.features(values.data) : []),
    ...('data' in members && members.data ? further.careTeam(members.data) : []),
  ];
  return issues.length > 0 || 'issues' in checked ? { issues } : { patient: checked.data };
}
