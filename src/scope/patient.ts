import type { SealedPatientField, StoredPatient } from '../../models/index.js';

/** Who a patient is. */
export interface PatientIdentity {
  /** Medical record number. */
  readonly mrn: string;
  readonly givenName?: string;
  readonly familyName?: string;
  /** ISO 8601 calendar date, `1956-02-14`: a birth date has no time zone. */
  readonly birthDate?: string;
}

/** What of a patient is stored in the clear. */
export type PatientRecordFields = Omit<StoredPatient, SealedPatientField | 'mrnIndex' | 'familyNameIndex' | 'dataKey'>;

/**
 * A person, identified by `mrn` within the organization, as services see it. Of a patient that was read, each part of the
 * identity is decrypted when it is looked at and not before: looking may throw a CiphertextError.
 */
export interface Patient extends PatientRecordFields, PatientIdentity {}
