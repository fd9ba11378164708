import type { Models, StoredPatient } from '../../models/index.js';
import { dropIndex, isDuplicateKey } from '../database.js';
import { documentRounds } from '../document-rounds.js';
import { StartupError } from '../errors.js';
import type { FieldWriter, ProtectionOf } from '../protection/protection.js';
import { sealIdentity } from './patient-cipher.js';
import type { PatientIdentity } from './patient.js';

/** The unique index of the time when an MRN was stored as it is. */
const plainIndex = 'organization_1_mrn_1';
const patientsPerRound = 500;

type PlainPatient = Omit<StoredPatient, keyof PatientIdentity> & PatientIdentity;

/**
 * Encrypts the patients of a database that was written before patients were encrypted, or by such a version since. Goes on where it was stopped, and
 * several processes may do it at once: a patient is replaced only while it is as it was read.
 * @param onProgress told how many patients this call has encrypted so far
 * @throws StartupError when two plain patients have one MRN
 */
export async function encryptStoredPatients({ patients }: Models, protectionOf: ProtectionOf, onProgress: (encrypted: number) => void): Promise<void> {
  let encrypted = 0;
  for await (const round of documentRounds<PlainPatient, StoredPatient>(patients, { mrn: { $type: 'string' } }, patientsPerRound)) {
    encrypted += await encryptRound(patients, protectionOf, round);
    onProgress(encrypted);
  }
  await dropIndex(patients, plainIndex);
}

async function encryptRound(patients: Models['patients'], protectionOf: ProtectionOf, round: readonly PlainPatient[]): Promise<number> {
  const writers = new Map<string, FieldWriter>();
  for (const { organization } of round) {
    const id = organization.toHexString();
    if (!writers.has(id)) writers.set(id, await protectionOf(organization).writer());
  }
  const operations = round.map(({ _id, organization, version, mrn, givenName, familyName, birthDate }) => ({
    updateOne: {
      filter: { _id, version, mrn },
      // A field that is absent may have been stored as null.
      update: { $set: sealIdentity(writers.get(organization.toHexString())!, _id, { mrn, ...present({ givenName, familyName, birthDate }) }) },
    },
  }));
  try {
    return (await patients.collection.bulkWrite(operations as never, { ordered: false })).modifiedCount;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    const { writeErrors } = error as { writeErrors?: readonly { readonly index: number }[] };
    const ids = [writeErrors ?? []].flat().map(({ index }) => round[index]!._id.toHexString());
    throw new StartupError(
      `The patients ${ids.join(', ')} cannot be encrypted: each has the same MRN as another patient of its organization but for blanks around it. Change one of each two in MongoDB (collection patients, field mrn), then start again.`,
    );
  }
}

function present<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value != null)) as T;
}
