import { createHmac, type KeyObject } from 'node:crypto';

/*
 * Blind indexes: what is sealed can still be looked up when it equals a value. HMAC-SHA-256 (RFC 2104) under a key that
 * each organization has for itself, so that nobody without it can try values out, nor compare two organizations.
 */

/** Every value that is looked up without being stored, by the place it comes from: one field's index is no other's. */
export type IndexedField =
  'patients.mrn' | 'patients.familyName' | 'scoring_jobs.idempotencyKey' | 'scoring_jobs.requestHash';

/** What counts as the same value. */
const normalise: Readonly<Record<IndexedField, (value: string) => string>> = {
  'patients.mrn': (value) => value.trim(),
  // Lower case can leave the composed form: normalised again.
  'patients.familyName': (value) => value.trim().normalize('NFKC').toLowerCase().normalize('NFKC'),
  'scoring_jobs.idempotencyKey': (value) => value,
  'scoring_jobs.requestHash': (value) => value,
};

/** The index of a value, 43 characters of base64url: equal for values that count as the same, and telling nothing else. */
export function blindIndex(key: KeyObject, field: IndexedField, value: string): string {
  // No name of a field has a NUL, so that no two pairs of field and value are the same bytes.
  return createHmac('sha256', key)
    .update(`${field}\0${normalise[field](value)}`, 'utf8')
    .digest('base64url');
}
