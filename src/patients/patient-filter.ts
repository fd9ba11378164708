import { z } from 'zod';
import { AdministrativeGender } from '../../models/index.js';
import { authorize } from '../auth/authorize.js';
import type { Viewer } from '../auth/viewer.js';
import { BadUserInputError, ServiceUnavailableError } from '../errors.js';
import { parseInput } from '../input.js';
import { riskBands } from '../risk/output-schema.js';
import { probability, rangeCheck } from '../risk/probability-range.js';
import { prefixLengths, searchCharacters, type SearchedField } from '../scope/search-tokens.js';
import type { OrganizationScope } from '../scope/organization-scope.js';
import type { PatientCondition } from '../scope/patient-records.js';
import { nameSchema } from './patient-input.js';

/** A beginning of a value. Its length is that of its normal form, in which it is compared. */
function prefixSchema(field: SearchedField) {
  const { shortest, longest } = prefixLengths[field];
  return z
    .string()
    .max(200, 'must have at most 200 characters')
    .refine(
      (text) => {
        const { length } = searchCharacters(field, text);
        return length >= shortest && length <= longest;
      },
      { message: `must have ${shortest} to ${longest} characters; give ${field} for the whole value` },
    );
}

/**
 * The conditions that choose patients, for lists and for batches. All of them must hold. The schema is strict: it
 * refuses an unknown condition. A schema that dropped it could leave an empty filter, which chooses every patient.
 */
export const patientFilterSchema = z
  .strictObject({
    /** Medical record number. It identifies a person, as `familyName` does, and needs the right to see names. */
    mrn: z.string().trim().nullish(),
    /** Whole family name; upper and lower case count as equal. */
    familyName: nameSchema.nullish(),
    /** The first characters of the MRN. */
    mrnPrefix: prefixSchema('mrn').nullish(),
    /** The first characters of the family name; upper and lower case count as equal. */
    familyNamePrefix: prefixSchema('familyName').nullish(),
    sex: z.enum(AdministrativeGender).nullish(),
    createdAfter: z.date().nullish(),
    updatedAfter: z.date().nullish(),
    /** The model whose latest results the other conditions and the order are about; alone: patients that have one. */
    latestModelId: z.string().nullish(),
    latestRiskBands: z.array(z.enum(riskBands)).nullish(),
    minimumLatestProbability: probability.nullish(),
    maximumLatestProbability: probability.nullish(),
  })
  .refine(...rangeCheck('minimumLatestProbability', 'maximumLatestProbability'));

/** A patient filter as callers send it. All conditions must hold. */
export type PatientFilter = Readonly<z.input<typeof patientFilterSchema>>;

/** A filter as the argument of a list. */
export const patientListSchema = z.object({
  filter: patientFilterSchema.refine((filter) => filter.mrnPrefix == null || filter.familyNamePrefix == null, {
    path: ['familyNamePrefix'],
    message: 'cannot stand beside mrnPrefix: give one of them',
    when: () => true,
  }),
});

/**
 * Checks a filter that a caller sent.
 * @throws BadUserInputError for an unknown condition, a name that no patient can have, a range that holds nothing, or both
 * prefixes: MongoDB has no plan for two of them that is sure to be quick
 */
export const parsePatientFilter = (filter: PatientFilter): PatientFilter =>
  parseInput(patientListSchema, { filter }).filter;

/** Turns a checked filter into a condition on the patient records, but for the conditions on latest results. */
export function patientQuery(filter: PatientFilter): PatientCondition {
  const { mrn, familyName, mrnPrefix, familyNamePrefix, sex, createdAfter, updatedAfter } = filter;
  return {
    ...(mrn != null && { mrn }),
    ...(familyName != null && { familyName }),
    ...(mrnPrefix != null && { mrnPrefix }),
    ...(familyNamePrefix != null && { familyNamePrefix }),
    ...(sex != null && { sex }),
    ...(createdAfter != null && { createdAt: { $gt: createdAfter } }),
    ...(updatedAfter != null && { updatedAt: { $gt: updatedAfter } }),
  };
}

/**
 * Refuses a filter by a property that the viewer may not read: the matches, and even their number, would tell it. MRN
 * and family name need the right to see names, sex needs the right to read patients, and the latest result that to read
 * predictions.
 * @throws UnauthenticatedError, ForbiddenError
 */
export function authorizeFilter(viewer: Viewer | null, filter: PatientFilter): void {
  const { sex } = filter;
  if (hasLatestConditions(filter)) authorize(viewer, 'prediction:read');
  if (isSearch(filter)) authorize(viewer, 'patient:read-identity');
  if (sex != null) authorize(viewer, 'patient:read');
}

/** Tells whether a filter has a condition on the latest result. */
export const hasLatestConditions = ({
  latestModelId,
  latestRiskBands,
  minimumLatestProbability,
  maximumLatestProbability,
}: PatientFilter): boolean =>
  [latestModelId, latestRiskBands, minimumLatestProbability, maximumLatestProbability].some((given) => given != null);

/** Tells whether a filter names a person: by MRN or family name, whole or in part. */
export const isSearch = ({ mrn, familyName, mrnPrefix, familyNamePrefix }: PatientFilter): boolean =>
  [mrn, familyName, mrnPrefix, familyNamePrefix].some((given) => given != null);

/**
 * Refuses a filter by a prefix when the organization has no prefix search.
 * @throws BadUserInputError when it is switched off, ServiceUnavailableError while it is prepared
 */
export async function requirePrefixSearch(
  scope: Pick<OrganizationScope, 'prefixSearch'>,
  { mrnPrefix, familyNamePrefix }: PatientFilter,
): Promise<void> {
  const given = Object.entries({ mrnPrefix, familyNamePrefix }).filter(([, value]) => value != null);
  if (given.length === 0) return;
  const state = await scope.prefixSearch();
  if (!state)
    throw new BadUserInputError(
      given.map(([name]) => ({
        path: `filter.${name}`,
        message: 'needs prefix search, which is off for your organization: ask your operator for "riskgraph search on"',
      })),
    );
  if (!state.finishedAt)
    throw new ServiceUnavailableError(
      `The search by prefixes is being prepared (${state.processed} of ${state.total} patients): try again later, or ` +
        'search by the whole MRN or family name.',
    );
}
