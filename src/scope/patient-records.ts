import type { Types, QueryFilter } from 'mongoose';
import { latestResultField, type StoredPatient } from '../../models/index.js';
import type { BulkWrite, IndexKeys, ScopedCollection } from './scoped-collection.js';
import {
  checkPage,
  mapRows,
  readPage,
  type ListQuery,
  type Page,
  type PageOrder,
  type PageRequest,
} from './pagination.js';
import type { Protection } from '../protection/protection.js';
import { SliceSizer } from '../risk/slices.js';
import { bytesOf } from '../storage/binary.js';
import { mrnIndex, sealIdentity, sealPatient, type PatientDecryption, type PatientWriter } from './patient-cipher.js';
import { searchCharacters, searchToken, type SearchedField } from './search-tokens.js';
import { sealedPatientFields } from '../../models/patient.js';
import type { Patient, PatientIdentity, PatientRecordFields } from './patient.js';
import { defined } from '../process/defined.js';

/**
 * A condition on patients. Fields that are stored in the clear are compared directly. MRN and family name are found by
 * their blind indexes.
 */
export type PatientCondition = QueryFilter<PatientRecordFields> & {
  readonly mrn?: string;
  readonly familyName?: string;
  /** The beginning of the MRN. It finds patients only while the organization has prefix search. */
  readonly mrnPrefix?: string;
  /** The beginning of the family name, likewise. */
  readonly familyNamePrefix?: string;
};

/** The changes of a patient. An absent field does not change; null clears the field. */
export type PatientChanges = { readonly [K in keyof PatientIdentity]?: PatientIdentity[K] | null } & Partial<
  Omit<PatientRecordFields, '_id' | 'organization' | 'careTeam'>
> & { readonly careTeam?: string[] | null };

/** A write of a bulk: a new patient, or changes of a patient that was read. */
export type PatientWrite =
  { readonly insert: Omit<Patient, 'organization'> } | { readonly current: Patient; readonly changes: PatientChanges };

/**
 * The patients of one organization. Services pass and get plain values; the database holds encrypted ones. Services
 * reach patients only here, so none sees a ciphertext, and none can store a name in the clear.
 */
export interface PatientRecords {
  findOne(condition: PatientCondition): Promise<Patient | null>;
  /** The patients in the order of the ids; null for an id without a patient. */
  findMany(ids: readonly Types.ObjectId[]): Promise<(Patient | null)[]>;
  /** The patients in the order of the MRNs; null for an MRN without a patient. One query reads them all. */
  findByMrn(mrns: readonly string[]): Promise<(Patient | null)[]>;
  /** @throws BadUserInputError for a page size or cursor that is not valid */
  checkPage(request: PageRequest, order?: PageOrder): void;
  /** @throws BadUserInputError as `checkPage` */
  page(request: PageRequest, condition: PatientCondition, order?: PageOrder): Promise<Page<Patient>>;
  /**
   * Ids of the matching patients. They are read through a cursor, some thousands at a time, so there may be any number.
   */
  ids(condition: PatientCondition): AsyncIterable<readonly Types.ObjectId[]>;
  /** @throws a duplicate key error (`isDuplicateKey`) when the MRN is taken */
  insert(patient: Omit<Patient, 'organization'>): Promise<Patient>;
  /** The patients whose MRN is not taken, in the given order. */
  withFreeMrn<T extends Pick<Patient, 'mrn'>>(patients: readonly T[]): Promise<T[]>;
  /** Inserts the patients whose MRN is not taken. @returns how many */
  insertNew(patients: readonly Omit<Patient, 'organization'>[]): Promise<number>;
  /**
   * Changes a patient, if its version is still the one that was read.
   * @returns the patient after the change; null when it has another version now, or is deleted
   * @throws a duplicate key error (`isDuplicateKey`) when the MRN is taken
   */
  update(current: Patient, changes: PatientChanges): Promise<Patient | null>;
  /**
   * Writes many patients in one bulk. A change is written as by `update`, a new patient as by `insert`.
   * @returns the patients after the write; null for each that another caller wrote or deleted meanwhile, and for a new
   *   one whose MRN is taken
   */
  writeMany(writes: readonly PatientWrite[]): Promise<(Patient | null)[]>;
  /** @returns how many were deleted */
  deleteMany(condition: PatientCondition): Promise<number>;
}

const newestFirst: PageOrder = { field: 'createdAt', direction: -1 };

/**
 * The index of lists in the order of the latest results of a model. It also holds what filters compare, so that MongoDB
 * reads only documents that match.
 */
export const worklistIndex = (modelId: string): IndexKeys => worklistIndexOf(`${latestResultField(modelId)}.value`);

const worklistIndexOf = (value: string): IndexKeys => ({
  organization: 1,
  [value]: -1,
  _id: -1,
  sex: 1,
  familyNameIndex: 1,
});

/** The list of the patients that match, in an order that an index serves. */
function listOf(filter: QueryFilter<StoredPatient>, order: PageOrder = newestFirst): ListQuery<StoredPatient> {
  if (filter.mrnIndex !== undefined) return { filter, order, index: { organization: 1, mrnIndex: 1 }, single: true };
  if (order.field.startsWith('latestResults.')) return { filter, order, index: worklistIndexOf(order.field) };
  const chosenBy = (['familyNameIndex', 'searchTokens', 'sex'] as const).find((field) => filter[field] !== undefined);
  return { filter, order, index: { organization: 1, ...(chosenBy && { [chosenBy]: 1 }), [order.field]: -1, _id: -1 } };
}

interface PatientRecordsDependencies {
  readonly collection: ScopedCollection<StoredPatient>;
  readonly organization: Types.ObjectId;
  readonly protection: Protection;
  readonly decrypt: PatientDecryption;
  readonly hasPrefixSearch: () => Promise<boolean>;
}

export function createPatientRecords({
  collection,
  organization,
  protection,
  decrypt,
  hasPrefixSearch,
}: PatientRecordsDependencies): PatientRecords {
  async function patientWriter(): Promise<PatientWriter> {
    // The switch is read at each write: a copy in memory might write what was switched off.
    const [writer, prefixSearch] = await Promise.all([protection.writer(), hasPrefixSearch()]);
    return { ...writer, prefixSearch };
  }
  async function decryptAll<T extends StoredPatient | null>(
    documents: readonly T[],
  ): Promise<(T extends null ? null : Patient)[]> {
    const read = await protection.reader(documents.map((document) => document?.dataKey));
    return documents.map((document) => document && decrypt(protection, read, document)) as (T extends null
      ? null
      : Patient)[];
  }
  async function stored(condition: PatientCondition): Promise<QueryFilter<StoredPatient>> {
    const { mrn, familyName, mrnPrefix, familyNamePrefix, ...clear } = condition;
    if ([mrn, familyName, mrnPrefix, familyNamePrefix].every((text) => text === undefined)) return clear;
    const { blindIndex } = await protection.writer();
    const prefixes = defined({ mrn: mrnPrefix, familyName: familyNamePrefix });
    const [searchTokens] = Object.entries(prefixes).map(([field, prefix]) =>
      searchToken({ blindIndex }, field as SearchedField, searchCharacters(field as SearchedField, prefix)),
    );
    return {
      ...clear,
      ...(mrn !== undefined && { mrnIndex: mrnIndex({ blindIndex }, mrn) }),
      ...(familyName !== undefined && { familyNameIndex: blindIndex('patients.familyName', familyName) }),
      ...(searchTokens !== undefined && { searchTokens }),
    };
  }

  return {
    async findOne(condition) {
      const [patient] = await decryptAll([await collection.findOne(await stored(condition))]);
      return patient ?? null;
    },

    findMany: async (ids) => decryptAll(await collection.findMany(ids)),

    async findByMrn(mrns) {
      if (mrns.length === 0) return [];
      const writer = await protection.writer();
      const indexes = mrns.map((mrn) => mrnIndex(writer, mrn));
      const found = await collection.find({ mrnIndex: { $in: indexes } }, { hint: { organization: 1, mrnIndex: 1 } });
      const byIndex = new Map(found.map((document) => [document.mrnIndex, document]));
      return decryptAll(indexes.map((index) => byIndex.get(index) ?? null));
    },

    checkPage: (request, order = newestFirst) => void checkPage(request, collection.name, order),

    async page(request, condition, order) {
      const page = await readPage(collection, listOf(await stored(condition), order), request);
      const patients = await decryptAll(page.edges.map(({ node }) => node));
      return { ...page, edges: mapRows(page.edges, (_document, index) => patients[index]!) };
    },

    async *ids(condition) {
      yield* collection.ids(await stored(condition));
    },

    async insert(patient) {
      const whole = { ...patient, organization };
      await collection.insert(sealPatient(await patientWriter(), whole));
      return whole;
    },

    async withFreeMrn(patients) {
      const writer = await protection.writer();
      const indexes = patients.map(({ mrn }) => mrnIndex(writer, mrn));
      const taken = new Set(
        (await collection.find({ mrnIndex: { $in: indexes } }, { projection: { mrnIndex: 1 } })).map(
          ({ mrnIndex }) => mrnIndex,
        ),
      );
      return patients.filter((_patient, position) => !taken.has(indexes[position]!));
    },

    async insertNew(patients) {
      const writer = await patientWriter();
      return collection.insertNew(patients.map((patient) => sealPatient(writer, { ...patient, organization })));
    },

    async update(current, changes) {
      const { filter, update } = changeOf(await patientWriter(), current, changes);
      const updated = await collection.findOneAndUpdate(filter, update);
      return updated && (await decryptAll([updated]))[0]!;
    },

    async writeMany(writes) {
      const writer = await patientWriter();
      const sealing = new SliceSizer();
      const bulk: (BulkWrite<StoredPatient> & Written)[] = [];
      await sealing.each(writes.length, undefined, (start, end) => {
        for (const write of writes.slice(start, end)) bulk.push(bulkWriteOf(writer, organization, write));
      });
      await collection.writeMany(bulk);
      const stored = await collection.findMany(bulk.map(({ _id }) => _id));
      return decryptAll(
        stored.map((document, index) =>
          document && Buffer.compare(bytesOf(document.mrn), bytesOf(bulk[index]!.mrn)) === 0 ? document : null,
        ),
      );
    },

    deleteMany: async (condition) => collection.deleteMany(await stored(condition)),
  };
}

/** The id and the encrypted MRN of a write. No two encryptions are equal, so the latter tells who wrote a document. */
type Written = Pick<StoredPatient, '_id' | 'mrn'>;

function bulkWriteOf(
  writer: PatientWriter,
  organization: Types.ObjectId,
  write: PatientWrite,
): BulkWrite<StoredPatient> & Written {
  if ('insert' in write) {
    const insert = sealPatient(writer, { ...write.insert, organization });
    return { insert, _id: insert._id, mrn: insert.mrn };
  }
  const { identity, ...change } = changeOf(writer, write.current, write.changes);
  return { ...change, _id: write.current._id, mrn: identity.mrn };
}

/** The change of a patient, if its version is still the one that was read. All of its identity is encrypted again. */
function changeOf(
  writer: PatientWriter,
  current: Patient,
  { mrn, givenName, familyName, birthDate, careTeam, ...record }: PatientChanges,
) {
  const identity = sealIdentity(writer, current._id, {
    mrn: mrn ?? current.mrn,
    givenName: changed(givenName, () => current.givenName),
    familyName: changed(familyName, () => current.familyName),
    birthDate: changed(birthDate, () => current.birthDate),
  });
  const cleared: string[] = [...sealedPatientFields, 'familyNameIndex' as const, 'searchTokens' as const].filter(
    (field) => identity[field] === undefined,
  );
  if (careTeam === null) cleared.push('careTeam');
  if (careTeam !== undefined) cleared.push('formerCareTeam');
  return {
    identity,
    filter: { _id: current._id, version: current.version },
    update: {
      $set: { ...defined({ ...record, careTeam: careTeam ?? undefined }), ...identity },
      ...(cleared.length > 0 && { $unset: Object.fromEntries(cleared.map((field) => [field, 1])) }),
    },
  };
}

/** The new value of a field. The present value is read, and so decrypted, only when the field does not change. */
function changed<T>(given: T | null | undefined, present: () => T | undefined): T | undefined {
  return given === undefined ? present() : (given ?? undefined);
}
