import { Types, type Model, type mongo, type PipelineStage, type QueryFilter, type UpdateQuery } from 'mongoose';
import type {
  ApiKey, AuditEvent, Models, Organization, Prediction, PredictionBlock, ScoringChunk, ScoringJob, Session, StoredBreakGlassAccess, StoredPatient, User,
} from '../models/index.js';
import { patientFence, type Member } from './auth/care-team.js';
import { isDuplicateKey, slowestReadMs, slowestScanMs } from './database.js';
import { insertGroup } from './group-queries.js';
import { createPatientRecords, type PatientRecords } from './patients/patient-records.js';
import type { Protection, ProtectionOf } from './protection/protection.js';

/** What every document of a tenant has. */
export interface OrganizationDocument {
  _id: Types.ObjectId;
  organization: Types.ObjectId;
}

/** Which rows, in which order. */
export interface FindOptions {
  readonly projection?: Readonly<Record<string, 0 | 1 | { readonly $elemMatch: object }>>;
  readonly sort?: Readonly<Record<string, 1 | -1>>;
  readonly limit?: number;
}

/** A stage that stays within the documents it is given. */
export type OwnStage = PipelineStage.Sort | PipelineStage.Project | PipelineStage.Unwind | PipelineStage.Limit | PipelineStage.Group;

/** One collection as one organization sees it: no query can name another's documents, whatever its filter says. */
export interface ScopedCollection<T extends OrganizationDocument> {
  find(filter: QueryFilter<T>, options?: FindOptions): Promise<T[]>;
  findOne(filter: QueryFilter<T>, options?: Pick<FindOptions, 'projection' | 'sort'>): Promise<T | null>;
  /** In the order of the ids; null where there is none. */
  findMany(ids: readonly Types.ObjectId[]): Promise<(T | null)[]>;
  /** Ids of the matching documents, read through a cursor: any number of them, some thousands at a time. */
  ids(filter: QueryFilter<T>): AsyncIterable<readonly Types.ObjectId[]>;
  exists(filter: QueryFilter<T>): Promise<boolean>;
  /** What the stages make of the matching documents. They may look into no other collection. */
  aggregate<R>(filter: QueryFilter<T>, stages: readonly OwnStage[]): Promise<R[]>;
  count(filter: QueryFilter<T>): Promise<number>;
  /** The organization is set here. */
  insert(document: Omit<T, 'organization'>): Promise<T>;
  /** Inserts those that no unique index refuses. @returns how many */
  insertNew(documents: readonly T[]): Promise<number>;
  /** @returns the document after the update; null when none matches */
  findOneAndUpdate(filter: QueryFilter<T>, update: UpdateQuery<T>): Promise<T | null>;
  /** @returns how many were changed */
  updateMany(filter: QueryFilter<T>, update: UpdateQuery<T>): Promise<number>;
  /** @returns how many are gone */
  deleteMany(filter: QueryFilter<T>): Promise<number>;
}

/**
 * The documents of one organization. Services that act for a caller are given this and not the models: the tenant is
 * part of every query below them, not of their own care.
 */
export interface OrganizationScope {
  readonly id: Types.ObjectId;
  /** The patients that are open to the member: for a clinician those whose care team does not leave them out. */
  readonly patients: PatientRecords;
  /** All patients, whatever their care team. For telling a closed patient from none, and for breaking the glass. */
  readonly everyPatient: PatientRecords;
  /** What of all patients says to whom they are open. */
  readonly careTeams: Pick<ScopedCollection<StoredPatient>, 'find' | 'ids' | 'updateMany'>;
  readonly breakGlassAccesses: ScopedCollection<StoredBreakGlassAccess>;
  /** Predictions stored by themselves; those of batches are in blocks. See `storedPredictions`, which knows both. */
  readonly predictions: ScopedCollection<Prediction>;
  readonly predictionBlocks: ScopedCollection<PredictionBlock>;
  readonly scoringJobs: ScopedCollection<ScoringJob>;
  /** Read only: events are appended by the audit trail alone. */
  readonly auditEvents: Pick<ScopedCollection<AuditEvent>, 'find' | 'findOne' | 'count'>;
  readonly users: ScopedCollection<User>;
  readonly sessions: ScopedCollection<Session>;
  readonly apiKeys: ScopedCollection<ApiKey>;
  /** The chunks of a batch of this organization; of none, when the job is another's. */
  chunks(job: ScoringJob): ScopedChunks;
  /** Encrypts and indexes what else of this organization must not be stored as it is. */
  readonly protection: Protection;
  /** The organization itself. */
  organization(): Promise<Organization>;
}

/** The chunks of one batch. They carry no organization of their own; their job does. */
export interface ScopedChunks {
  /** Those with failures, lowest number first, each with at most `failures` of them. */
  failed(failures: number): Promise<ScoringChunk[]>;
  /** Lets what is not done be tried as often again as at first. */
  resetAttempts(): Promise<void>;
}

/** The scope of the organization that somebody belongs to. */
export type ScopeOf = (member: Member) => OrganizationScope;

export function createOrganizationScopes(models: Models, protectionOf: ProtectionOf): ScopeOf {
  return (member) => {
    const id = new Types.ObjectId(member.organizationId);
    const protection = protectionOf(id);
    // Made when asked for: a request needs few of them, and there is a scope a request.
    return {
      id,
      get patients() {
        return createPatientRecords(scopedCollection<StoredPatient>(models.patients, id, patientFence(member)), id, protection);
      },
      get everyPatient() {
        return createPatientRecords(scopedCollection<StoredPatient>(models.patients, id), id, protection);
      },
      get careTeams() {
        return scopedCollection<StoredPatient>(models.patients, id);
      },
      get breakGlassAccesses() {
        return scopedCollection<StoredBreakGlassAccess>(models.breakGlassAccesses, id);
      },
      get predictions() {
        return scopedCollection<Prediction>(models.predictions, id);
      },
      get predictionBlocks() {
        return scopedCollection<PredictionBlock>(models.predictionBlocks, id);
      },
      get scoringJobs() {
        return scopedCollection<ScoringJob>(models.scoringJobs, id);
      },
      get auditEvents() {
        return scopedCollection<AuditEvent>(models.auditEvents, id);
      },
      protection,
      get users() {
        return scopedCollection<User>(models.users, id);
      },
      get sessions() {
        return scopedCollection<Session>(models.sessions, id);
      },
      get apiKeys() {
        return scopedCollection<ApiKey>(models.apiKeys, id);
      },
      chunks: (job) => scopedChunks(models, job, id),
      organization: () => models.organizations.findById(id).lean<Organization>().orFail(),
    };
  };
}

/** What every document must satisfy beside the organization: as a condition of a query, and of a document that was read whole. */
interface Fence<T> {
  readonly filter: QueryFilter<T>;
  admits(document: T): boolean;
}

function scopedCollection<T extends OrganizationDocument>(model: Model<T>, organization: Types.ObjectId, fence?: Fence<T>): ScopedCollection<T> {
  const { collection } = model;
  // A filter of the caller's cannot widen this: all sides of $and must hold. The types of driver and Mongoose differ in name only.
  const unfenced = (filter: QueryFilter<T>): object => ({ $and: [{ organization }, filter] });
  const within = (filter: QueryFilter<T>): object => (fence ? { $and: [{ organization }, fence.filter, filter] } : unfenced(filter));
  const cursor = (filter: QueryFilter<T>, { projection, sort, limit }: FindOptions = {}) =>
    collection.find<T>(within(filter), { maxTimeMS: slowestReadMs, ...(projection && { projection }), ...(sort && { sort }), ...(limit && { limit }) });
  return {
    find: (filter, options) => cursor(filter, options).toArray(),
    async findOne(filter, options) {
      // There is one document of an id at most. It costs MongoDB a fifth less when it is not asked to judge it.
      if (!fence || options || !(filter._id instanceof Types.ObjectId)) return collection.findOne<T>(within(filter), { maxTimeMS: slowestReadMs, ...options } as mongo.FindOptions);
      const found = await collection.findOne<T>(unfenced(filter), { maxTimeMS: slowestReadMs });
      return found && fence.admits(found) ? found : null;
    },
    async findMany(ids) {
      if (ids.length === 0) return [];
      const byId = new Map((await cursor({ _id: { $in: ids } } as QueryFilter<T>).toArray()).map((document) => [document._id.toHexString(), document]));
      return ids.map((id) => byId.get(id.toHexString()) ?? null);
    },
    async *ids(filter) {
      // As they come over the wire: a document of an id alone is its length, the type and name of its one field, and 12 bytes.
      const found = collection.find<Uint8Array>(within(filter), { maxTimeMS: slowestScanMs, projection: { _id: 1 }, batchSize: 10_000, raw: true });
      for (let more = found.hasNext(); await more; ) {
        const documents = found.readBufferedDocuments();
        // The next ones come while the caller is busy with these.
        more = found.hasNext();
        more.catch(() => undefined);
        yield documents.map((document) => new Types.ObjectId(document.subarray(9, 21)));
      }
    },
    exists: async (filter) => (await collection.findOne(within(filter), { maxTimeMS: slowestReadMs, projection: { _id: 1 } })) !== null,
    aggregate: <R>(filter: QueryFilter<T>, stages: readonly OwnStage[]) => collection.aggregate([{ $match: within(filter) }, ...stages], { maxTimeMS: slowestReadMs }).toArray() as Promise<R[]>,
    count: (filter) => collection.countDocuments(within(filter), { maxTimeMS: slowestReadMs }),
    async insert(document) {
      const whole = { ...document, organization } as T;
      await collection.insertOne(whole as never);
      return whole;
    },
    async insertNew(documents) {
      if (documents.length === 0) return 0;
      const results = await insertGroup(model, documents.map((document) => ({ ...document, organization })));
      const refused = results.flatMap((result) => ('error' in result ? [result.error] : []));
      const fault = refused.find((error) => !isDuplicateKey(error));
      if (fault) throw fault;
      return results.length - refused.length;
    },
    findOneAndUpdate: async (filter, update) =>
      (await collection.findOneAndUpdate(within(filter), update as object, { returnDocument: 'after' })) as T | null,
    updateMany: async (filter, update) => (await collection.updateMany(within(filter), update as object)).modifiedCount,
    deleteMany: async (filter) => (await collection.deleteMany(within(filter))).deletedCount,
  };
}

function scopedChunks({ scoringChunks }: Models, job: ScoringJob, organization: Types.ObjectId): ScopedChunks {
  const filter = job.organization.equals(organization) ? { job: job._id } : { _id: { $in: [] } };
  return {
    failed: (failures) =>
      scoringChunks
        .find({ ...filter, done: true, failed: { $gt: 0 } }, { failures: { $slice: failures } })
        .sort({ number: 1 })
        .limit(failures)
        .maxTimeMS(slowestReadMs)
        .lean<ScoringChunk[]>(),
    async resetAttempts() {
      await scoringChunks.updateMany({ ...filter, done: false }, { $set: { attempts: 0 } });
    },
  };
}
