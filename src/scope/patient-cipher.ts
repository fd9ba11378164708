import type { KeyObject } from 'node:crypto';
import type { Types } from 'mongoose';
import type { Ciphertext, StoredPatient } from '../../models/index.js';
import type { FieldReader, FieldWriter, Protection } from '../protection/protection.js';
import { sealedPatientFields, type SealedPatientField } from '../../models/patient.js';
import type { Patient, PatientIdentity } from './patient.js';
import { identifierText } from '../process/visible-text.js';
import { searchTokens } from './search-tokens.js';

type SealedIdentity = Pick<
  StoredPatient,
  SealedPatientField | 'mrnIndex' | 'familyNameIndex' | 'searchTokens' | 'dataKey'
>;

/** A writer of one organization's patients. */
export interface PatientWriter extends FieldWriter {
  /** True when the organization's patients can be found by the beginning of MRN and family name. */
  readonly prefixSearch: boolean;
}

/** The blind index of an MRN. All spellings that look alike have the same one. */
export const mrnIndex = ({ blindIndex }: Pick<FieldWriter, 'blindIndex'>, mrn: string): string =>
  blindIndex('patients.mrn', identifierText(mrn));

/**
 * Encrypts a patient's identity as it is stored. All fields are encrypted together, so that one data key decrypts them
 * all.
 */
export function sealIdentity(writer: PatientWriter, _id: Types.ObjectId, identity: PatientIdentity): SealedIdentity {
  const given = sealedPatientFields.flatMap((field) =>
    identity[field] === undefined ? [] : [[field, writer.seal(_id, `patients.${field}`, identity[field])]],
  );
  return {
    ...(Object.fromEntries(given) as Pick<StoredPatient, SealedPatientField>),
    dataKey: writer.dataKey,
    mrnIndex: mrnIndex(writer, identity.mrn),
    ...(identity.familyName !== undefined && {
      familyNameIndex: writer.blindIndex('patients.familyName', identity.familyName),
    }),
    ...(writer.prefixSearch && { searchTokens: searchTokens(writer, identity) }),
  };
}

/** Makes the document of a patient. */
export function sealPatient(
  writer: PatientWriter,
  { mrn, givenName, familyName, birthDate, ...record }: Patient,
): StoredPatient {
  return { ...record, ...sealIdentity(writer, record._id, { mrn, givenName, familyName, birthDate }) };
}

/** Makes the patient of a document. @param read a reader of the protection that has loaded the document's data key */
export type PatientDecryption = (
  protection: Pick<Protection, 'keyOf'>,
  read: FieldReader,
  stored: StoredPatient,
) => Patient;

/**
 * Makes patients of documents, and the same patient again of a document that was kept (kept-documents.ts). What was
 * decrypted stays with the patient. It is found by the key too: when the process forgets the key, it forgets the patient.
 */
export function createPatientDecryption(): PatientDecryption {
  const ofKeys = new WeakMap<KeyObject, WeakMap<StoredPatient, Patient>>();
  return (protection, read, stored) => {
    // A document that is not frozen belongs to one reader, and so does its patient.
    const key = Object.isFrozen(stored) ? protection.keyOf(stored.dataKey) : undefined;
    if (!key) return decryptPatient(read, stored);
    let patients = ofKeys.get(key);
    if (!patients) ofKeys.set(key, (patients = new WeakMap()));
    let patient = patients.get(stored);
    if (!patient) patients.set(stored, (patient = Object.freeze(decryptPatient(read, stored))));
    return patient;
  };
}

/**
 * Makes the patient of a document. A field is decrypted when it is first read: most readers need some fields, and models
 * need none.
 */
export function decryptPatient(read: FieldReader, stored: StoredPatient): Patient {
  const {
    mrn,
    givenName,
    familyName,
    birthDate,
    mrnIndex: _mrnIndex,
    familyNameIndex: _familyNameIndex,
    searchTokens: _searchTokens,
    dataKey: _dataKey,
    ...record
  } = stored;
  const decrypted: { -readonly [K in keyof PatientIdentity]?: PatientIdentity[K] } = {};
  return {
    ...record,
    get mrn() {
      return (decrypted.mrn ??= read(record._id, 'patients.mrn', mrn));
    },
    get givenName() {
      return givenName && (decrypted.givenName ??= read(record._id, 'patients.givenName', givenName));
    },
    get familyName() {
      return familyName && (decrypted.familyName ??= read(record._id, 'patients.familyName', familyName));
    },
    get birthDate() {
      return birthDate && (decrypted.birthDate ??= decryptBirthDate(read, record._id, birthDate));
    },
  };
}

/** Decrypts a birth date, an ISO 8601 calendar date. Undefined for a patient without one. */
export function decryptBirthDate(
  read: FieldReader,
  patient: Types.ObjectId,
  birthDate: Ciphertext | undefined,
): string | undefined {
  return birthDate && read(patient, 'patients.birthDate', birthDate);
}
