import { createHmac, type KeyObject } from 'node:crypto';

/*
 * Blind indexes: an encrypted field can be found by its exact value. The index is an HMAC-SHA-256 (RFC 2104) under a
 * key of the organization. Without that key, an attacker cannot test guessed values or compare two organizations.
 */

/** The fields that have a blind index. Equal values of two fields have different indexes. */
export type IndexedField =
  | 'patients.mrn'
  | 'patients.familyName'
  | 'patients.mrnPrefix'
  | 'patients.familyNamePrefix'
  | 'scoring_jobs.idempotencyKey'
  | 'scoring_jobs.requestHash';

/** Normal form of the values of each field: values with the same normal form have the same index. */
const normalise: Readonly<Record<IndexedField, (value: string) => string>> = {
  'patients.mrn': (value) => value.trim(),
  // Lower case may break the Unicode normal form, so it is normalised again afterwards.
  'patients.familyName': (value) => value.trim().normalize('NFKC').toLowerCase().normalize('NFKC'),
  // Prefixes are cut from a value that is in its normal form already: see src/scope/search-tokens.ts.
  'patients.mrnPrefix': (value) => value,
  'patients.familyNamePrefix': (value) => value,
  'scoring_jobs.idempotencyKey': (value) => value,
  'scoring_jobs.requestHash': (value) => value,
};

/** The normal form of a value. */
export const normalForm = (field: IndexedField, value: string): string => normalise[field](value);

/** The index of a value, 43 characters of base64url. It tells only whether two values have the same normal form. */
export function blindIndex(key: KeyObject, field: IndexedField, value: string): string {
  // Field names have no NUL character. So two different pairs of field and value never give the same bytes.
  return createHmac('sha256', key)
    .update(`${field}\0${normalForm(field, value)}`, 'utf8')
    .digest('base64url');
}
