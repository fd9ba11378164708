import { Types, type Model, type mongo, type PipelineStage, type QueryFilter, type UpdateQuery } from 'mongoose';
import { isDuplicateKey, slowestReadMs, slowestScanMs } from '../storage/database.js';
import { insertGroup } from '../storage/group-queries.js';
import { defined } from '../process/defined.js';

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
export type OwnStage =
  PipelineStage.Sort | PipelineStage.Project | PipelineStage.Unwind | PipelineStage.Limit | PipelineStage.Group;

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

/** What every document must satisfy beside the organization: as a condition of a query, and of a document that was read whole. */
interface Fence<T> {
  readonly filter: QueryFilter<T>;
  admits(document: T): boolean;
}

/** The collection as one organization sees it, and only what a fence admits. */
export function scopedCollection<T extends OrganizationDocument>(
  model: Model<T>,
  organization: Types.ObjectId,
  fence?: Fence<T>,
): ScopedCollection<T> {
  const { collection } = model;
  // A filter of the caller's cannot widen this: all sides of $and must hold. The types of driver and Mongoose differ in name only.
  const unfenced = (filter: QueryFilter<T>): object => ({ $and: [{ organization }, filter] });
  const within = (filter: QueryFilter<T>): object =>
    fence ? { $and: [{ organization }, fence.filter, filter] } : unfenced(filter);
  const cursor = (filter: QueryFilter<T>, { projection, sort, limit }: FindOptions = {}) =>
    collection.find<T>(
      within(filter),
      defined({ maxTimeMS: slowestReadMs, projection, sort, limit }) as mongo.FindOptions,
    );
  return {
    find: (filter, options) => cursor(filter, options).toArray(),
    async findOne(filter, options) {
      // There is one document of an id at most. It costs MongoDB a fifth less when it is not asked to judge it.
      if (!fence || options || !(filter._id instanceof Types.ObjectId))
        return collection.findOne<T>(within(filter), { maxTimeMS: slowestReadMs, ...options } as mongo.FindOptions);
      const found = await collection.findOne<T>(unfenced(filter), { maxTimeMS: slowestReadMs });
      return found && fence.admits(found) ? found : null;
    },
    async findMany(ids) {
      if (ids.length === 0) return [];
      const byId = new Map(
        (await cursor({ _id: { $in: ids } } as QueryFilter<T>).toArray()).map((document) => [
          document._id.toHexString(),
          document,
        ]),
      );
      return ids.map((id) => byId.get(id.toHexString()) ?? null);
    },
    async *ids(filter) {
      // As they come over the wire: a document of an id alone is its length, the type and name of its one field, and 12 bytes.
      const found = collection.find<Uint8Array>(within(filter), {
        maxTimeMS: slowestScanMs,
        projection: { _id: 1 },
        batchSize: 10_000,
        raw: true,
      });
      for (let more = found.hasNext(); await more;) {
        const documents = found.readBufferedDocuments();
        // The next ones come while the caller is busy with these.
        more = found.hasNext();
        more.catch(() => undefined);
        yield documents.map((document) => new Types.ObjectId(document.subarray(9, 21)));
      }
    },
    exists: async (filter) =>
      (await collection.findOne(within(filter), { maxTimeMS: slowestReadMs, projection: { _id: 1 } })) !== null,
    aggregate: <R>(filter: QueryFilter<T>, stages: readonly OwnStage[]) =>
      collection.aggregate([{ $match: within(filter) }, ...stages], { maxTimeMS: slowestReadMs }).toArray() as Promise<
        R[]
      >,
    count: (filter) => collection.countDocuments(within(filter), { maxTimeMS: slowestReadMs }),
    async insert(document) {
      const whole = { ...document, organization } as T;
      await collection.insertOne(whole as never);
      return whole;
    },
    async insertNew(documents) {
      if (documents.length === 0) return 0;
      const results = await insertGroup(
        model,
        documents.map((document) => ({ ...document, organization })),
      );
      const refused = results.flatMap((result) => ('error' in result ? [result.error] : []));
      const refusal = refused.find((error) => !isDuplicateKey(error));
      if (refusal) throw refusal;
      return results.length - refused.length;
    },
    findOneAndUpdate: async (filter, update) =>
      (await collection.findOneAndUpdate(within(filter), update as object, { returnDocument: 'after' })) as T | null,
    updateMany: async (filter, update) => (await collection.updateMany(within(filter), update as object)).modifiedCount,
    deleteMany: async (filter) => (await collection.deleteMany(within(filter))).deletedCount,
  };
}
