import { Types, type Model, type mongo, type QueryFilter, type UpdateQuery } from 'mongoose';
import type { ApiKey, Models, Organization, Patient, Prediction, ScoringChunk, ScoringJob, Session, User } from '../models/index.js';

/** What every document of a tenant has. */
export interface OrganizationDocument {
  _id: Types.ObjectId;
  organization: Types.ObjectId;
}

/** Which rows, in which order. */
export interface FindOptions {
  readonly projection?: Readonly<Record<string, 0 | 1>>;
  readonly sort?: Readonly<Record<string, 1 | -1>>;
  readonly limit?: number;
}

/** One collection as one organization sees it: no query can name another's documents, whatever its filter says. */
export interface ScopedCollection<T extends OrganizationDocument> {
  find(filter: QueryFilter<T>, options?: FindOptions): Promise<T[]>;
  findOne(filter: QueryFilter<T>, options?: Pick<FindOptions, 'projection' | 'sort'>): Promise<T | null>;
  /** In the order of the ids; null where there is none. */
  findMany(ids: readonly Types.ObjectId[]): Promise<(T | null)[]>;
  /** Ids of the matching documents, read through a cursor: any number of them. */
  ids(filter: QueryFilter<T>): AsyncIterable<Types.ObjectId>;
  exists(filter: QueryFilter<T>): Promise<boolean>;
  count(filter: QueryFilter<T>): Promise<number>;
  /** The organization is set here. */
  insert(document: Omit<T, 'organization'>): Promise<T>;
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
  readonly patients: ScopedCollection<Patient>;
  readonly predictions: ScopedCollection<Prediction>;
  readonly scoringJobs: ScopedCollection<ScoringJob>;
  readonly users: ScopedCollection<User>;
  readonly sessions: ScopedCollection<Session>;
  readonly apiKeys: ScopedCollection<ApiKey>;
  /** The chunks of a batch of this organization; of none, when the job is another's. */
  chunks(job: ScoringJob): ScopedChunks;
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

/** The scope of the organization that somebody, e.g. a viewer, belongs to. */
export type ScopeOf = (member: { readonly organizationId: string }) => OrganizationScope;

export function createOrganizationScopes(models: Models): ScopeOf {
  return ({ organizationId }) => {
    const id = new Types.ObjectId(organizationId);
    return {
      id,
      patients: scopedCollection<Patient>(models.patients, id),
      predictions: scopedCollection<Prediction>(models.predictions, id),
      scoringJobs: scopedCollection<ScoringJob>(models.scoringJobs, id),
      users: scopedCollection<User>(models.users, id),
      sessions: scopedCollection<Session>(models.sessions, id),
      apiKeys: scopedCollection<ApiKey>(models.apiKeys, id),
      chunks: (job) => scopedChunks(models, job, id),
      organization: () => models.organizations.findById(id).lean<Organization>().orFail(),
    };
  };
}

function scopedCollection<T extends OrganizationDocument>({ collection }: Model<T>, organization: Types.ObjectId): ScopedCollection<T> {
  // A filter of the caller's cannot widen this: both sides of $and must hold. The types of driver and Mongoose differ in name only.
  const within = (filter: QueryFilter<T>): object => ({ $and: [{ organization }, filter] });
  const cursor = (filter: QueryFilter<T>, { projection, sort, limit }: FindOptions = {}) =>
    collection.find<T>(within(filter), { ...(projection && { projection }), ...(sort && { sort }), ...(limit && { limit }) });
  return {
    find: (filter, options) => cursor(filter, options).toArray(),
    findOne: (filter, options) => collection.findOne<T>(within(filter), options as mongo.FindOptions),
    async findMany(ids) {
      if (ids.length === 0) return [];
      const byId = new Map((await cursor({ _id: { $in: ids } } as QueryFilter<T>).toArray()).map((document) => [document._id.toHexString(), document]));
      return ids.map((id) => byId.get(id.toHexString()) ?? null);
    },
    async *ids(filter) {
      for await (const { _id } of collection.find(within(filter), { projection: { _id: 1 }, batchSize: 10_000 })) yield _id as Types.ObjectId;
    },
    exists: async (filter) => (await collection.findOne(within(filter), { projection: { _id: 1 } })) !== null,
    count: (filter) => collection.countDocuments(within(filter)),
    async insert(document) {
      const whole = { ...document, organization } as T;
      await collection.insertOne(whole as never);
      return whole;
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
        .lean<ScoringChunk[]>(),
    async resetAttempts() {
      await scoringChunks.updateMany({ ...filter, done: false }, { $set: { attempts: 0 } });
    },
  };
}
