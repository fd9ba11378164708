import type { SealedPatientField, StoredPatient } from '../../models/index.js';

/** The identity of a patient. */
export interface PatientIdentity {
  /** Medical record number. */
  readonly mrn: string;
  readonly givenName?: string;
  readonly familyName?: string;
  /** ISO 8601 calendar date, `1956-02-14`: a birth date has no time zone. */
  readonly birthDate?: string;
}

/** The fields of a patient that are stored in the clear. */
export type PatientRecordFields = Omit<
  StoredPatient,
  SealedPatientField | 'mrnIndex' | 'familyNameIndex' | 'searchTokens' | 'dataKey'
>;

/**
 * A patient as services see it: a person, identified by `mrn` within the organization. When a patient was read from the
 * database, each field of its identity is decrypted only when it is read. Reading it may throw a CiphertextError.
 */
export interface Patient extends PatientRecordFields, PatientIdentity {}
