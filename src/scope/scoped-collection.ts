import { mongo, Types, type Model, type PipelineStage, type QueryFilter, type UpdateQuery } from 'mongoose';
import { isDuplicateKey, slowestReadMs, slowestScanMs } from '../storage/database.js';
import { insertGroup, passOverDuplicates } from '../storage/group-queries.js';
import { defined } from '../process/defined.js';
import type { GroupedRead } from './grouped-reads.js';
import type { KeptDocuments } from './kept-documents.js';
import type { SharedReads } from './shared-reads.js';

/** The fields that every document of an organization has. */
export interface OrganizationDocument {
  _id: Types.ObjectId;
  organization: Types.ObjectId;
}

/** The fields, the order and the number of the documents to find. */
export interface FindOptions {
  readonly projection?: Readonly<Record<string, 0 | 1 | { readonly $elemMatch: object }>>;
  readonly sort?: Readonly<Record<string, 1 | -1>>;
  readonly limit?: number;
  /** Keys of the index that serves the query. MongoDB uses no other. */
  readonly hint?: IndexKeys;
}

/** Keys of an index, exactly as a model declares them. */
export type IndexKeys = Readonly<Record<string, 1 | -1>>;

/** A write of a bulk: a new document, or a change of the document that a filter finds. */
export type BulkWrite<T> =
  { readonly insert: T } | { readonly filter: QueryFilter<T>; readonly update: UpdateQuery<T> };

/** A stage of an aggregation that reads no documents but those it is given. */
export type OwnStage =
  PipelineStage.Sort | PipelineStage.Project | PipelineStage.Unwind | PipelineStage.Limit | PipelineStage.Group;

/**
 * One collection as one organization sees it. No query can reach another organization's documents, whatever its filter
 * is.
 */
export interface ScopedCollection<T extends OrganizationDocument> {
  /** Name of the collection in the database. */
  readonly name: string;
  find(filter: QueryFilter<T>, options?: FindOptions): Promise<T[]>;
  /**
   * Reads a page as `find` does. Callers who ask for the same page at the same time share one query, and get the same
   * documents, which they must not change.
   */
  findPage(filter: QueryFilter<T>, options: Omit<FindOptions, 'projection'>): Promise<readonly T[]>;
  findOne(filter: QueryFilter<T>, options?: Pick<FindOptions, 'projection' | 'sort'>): Promise<T | null>;
  /**
   * The documents in the order of the ids; null for an id without a document.
   * @param options.lasting reads only what survives a failover: in a replica set a majority has it
   */
  findMany(ids: readonly Types.ObjectId[], options?: { readonly lasting: true }): Promise<(T | null)[]>;
  /**
   * Ids of the matching documents. They are read through a cursor, some thousands at a time, so there may be any
   * number.
   */
  ids(filter: QueryFilter<T>): AsyncIterable<readonly Types.ObjectId[]>;
  exists(filter: QueryFilter<T>): Promise<boolean>;
  /** Runs the stages over the matching documents. The stages cannot read another collection. */
  aggregate<R>(filter: QueryFilter<T>, stages: readonly OwnStage[], options?: Pick<FindOptions, 'hint'>): Promise<R[]>;
  count(filter: QueryFilter<T>): Promise<number>;
  /** Inserts a document of the organization, and sets its `organization`. */
  insert(document: Omit<T, 'organization'>): Promise<T>;
  /** Inserts the documents that no unique index refuses. @returns how many */
  insertNew(documents: readonly T[]): Promise<number>;
  /**
   * Writes many documents in one bulk, in no order. A document that a unique index refuses is left out, and so is a
   * change whose filter finds nothing.
   */
  writeMany(writes: readonly BulkWrite<T>[]): Promise<void>;
  /** @returns the document after the update; null when none matches */
  findOneAndUpdate(filter: QueryFilter<T>, update: UpdateQuery<T>): Promise<T | null>;
  /** @returns how many were changed */
  updateMany(filter: QueryFilter<T>, update: UpdateQuery<T>): Promise<number>;
  /** @returns how many were deleted */
  deleteMany(filter: QueryFilter<T>): Promise<number>;
}

/**
 * A fence: a condition that every document must satisfy in addition to its organization. `filter` is the condition in a
 * query; `admits` is the same condition for a document that was read whole.
 */
interface Fence<T> {
  /** Fences of one organization with the same name are the same. */
  readonly name: string;
  readonly filter: QueryFilter<T>;
  admits(document: T): boolean;
}

/** Reads of single documents, by the field that chooses them. Other callers of this process share their queries. */
type GroupedReads<T> = { readonly [K in keyof T]?: GroupedRead<T> };

/** The parts that all scopes of a process share. They save work that was done for another one. */
export interface Sharing<T> {
  readonly grouped?: GroupedReads<T>;
  /** Pages that are being read. @defaultValue each page is a query of its own */
  readonly pages?: SharedReads;
  /** Documents that are parsed only when they have changed. @defaultValue each is parsed, and belongs to its reader */
  readonly kept?: KeptDocuments;
}

/** Most documents of one read that are kept: more of them would push out all others. */
const mostKept = 501;

/** Most documents that are read one by one through grouped reads. More of them are a query of their own. */
const fewDocuments = 4;

/**
 * Makes the collection as one organization sees it. Each query goes through these steps:
 * 1. Its filter is joined with the organization and, if there is one, the fence. All sides of $and must hold, so no
 *    filter of a caller can widen the query.
 * 2. A read gets a time limit, which MongoDB enforces.
 * 3. A document that is inserted gets the organization, whatever it held before.
 */
export function scopedCollection<T extends OrganizationDocument>(
  model: Model<T>,
  organization: Types.ObjectId,
  { fence, grouped = {}, pages, kept }: { readonly fence?: Fence<T> } & Sharing<T> = {},
): ScopedCollection<T> {
  const { collection } = model;
  const { name } = collection;
  // The types of the driver and of Mongoose differ in name only, so the filter is passed as an object.
  const unfenced = (filter: QueryFilter<T>): object => ({ $and: [{ organization }, filter] });
  const within = (filter: QueryFilter<T>): object =>
    fence ? { $and: [{ organization }, fence.filter, filter] } : unfenced(filter);
  const cursor = <R = T>(
    filter: QueryFilter<T>,
    {
      projection,
      sort,
      limit,
      hint,
      readConcern,
      raw,
    }: FindOptions & Pick<mongo.FindOptions, 'readConcern' | 'raw'> = {},
  ) =>
    collection.find<R & mongo.Document>(
      within(filter),
      defined({ maxTimeMS: slowestReadMs, projection, sort, limit, hint, readConcern, raw }) as mongo.FindOptions,
    );
  /** Reads whole documents. Those that have not changed are not parsed. */
  async function findWhole(
    filter: QueryFilter<T>,
    options: Omit<FindOptions, 'projection'> & Pick<mongo.FindOptions, 'readConcern'>,
  ): Promise<T[]> {
    if (!kept) return cursor(filter, options).toArray();
    return (await cursor<Uint8Array>(filter, { ...options, raw: true }).toArray()).map((bytes) => kept.read<T>(bytes));
  }
  const admitted = (found: T | null): T | null => (found && (!fence || fence.admits(found)) ? found : null);
  /** The grouped read that does what a filter asks for: one that compares one field alone. */
  function groupedReadOf(filter: QueryFilter<T>): (() => Promise<T | null>) | undefined {
    const [[field, value] = [], ...others] = Object.entries(filter) as [string, unknown][];
    const read = field === undefined ? undefined : grouped[field as keyof T];
    return read && others.length === 0 && value instanceof Types.ObjectId ? () => read(organization, value) : undefined;
  }
  return {
    name,
    find: (filter, options) => cursor(filter, options).toArray(),
    findPage(filter, options) {
      if (!pages) return findWhole(filter, options);
      // The bytes of the query itself: they tell a date from its text, which JSON does not.
      const key = mongo.BSON.serialize(
        { of: name, organization, fence: fence?.name, filter, options },
        { ignoreUndefined: false },
      );
      return pages(Buffer.from(key).toString('latin1'), () => findWhole(filter, options));
    },
    async findOne(filter, options) {
      const read = options ? undefined : groupedReadOf(filter);
      // Reads one document without the fence, and applies the fence here. MongoDB then works a fifth less.
      if (read) return admitted(await read());
      if (!fence || options || !(filter._id instanceof Types.ObjectId))
        return collection.findOne<T>(within(filter), { maxTimeMS: slowestReadMs, ...options } as mongo.FindOptions);
      return admitted(await collection.findOne<T>(unfenced(filter), { maxTimeMS: slowestReadMs }));
    },
    async findMany(ids, options) {
      if (ids.length === 0) return [];
      const { _id: read } = grouped;
      if (read && ids.length <= fewDocuments && !options)
        return (await Promise.all(ids.map((id) => read(organization, id)))).map(admitted);
      const readConcern = options?.lasting ? ({ level: 'majority' } as const) : undefined;
      const wanted = { _id: { $in: ids } } as QueryFilter<T>;
      const found = await (ids.length > mostKept
        ? cursor(wanted, { readConcern }).toArray()
        : findWhole(wanted, { readConcern }));
      const byId = new Map(found.map((document) => [document._id.toHexString(), document]));
      return ids.map((id) => byId.get(id.toHexString()) ?? null);
    },
    async *ids(filter) {
      // Reads the ids from the raw bytes. A document that holds only an id has 21 bytes before the end: its length (4),
      // the type and name of its field (5), and the id (12).
      const found = collection.find<Uint8Array>(within(filter), {
        maxTimeMS: slowestScanMs,
        projection: { _id: 1 },
        batchSize: 10_000,
        raw: true,
      });
      for (let more = found.hasNext(); await more;) {
        const documents = found.readBufferedDocuments();
        // Fetches the next documents while the caller works on these.
        more = found.hasNext();
        more.catch(() => undefined);
        yield documents.map((document) => new Types.ObjectId(document.subarray(9, 21)));
      }
    },
    exists: async (filter) =>
      (await collection.findOne(within(filter), { maxTimeMS: slowestReadMs, projection: { _id: 1 } })) !== null,
    aggregate: <R>(filter: QueryFilter<T>, stages: readonly OwnStage[], options: Pick<FindOptions, 'hint'> = {}) =>
      collection
        .aggregate([{ $match: within(filter) }, ...stages], { maxTimeMS: slowestReadMs, ...options })
        .toArray() as Promise<R[]>,
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
    async writeMany(writes) {
      if (writes.length === 0) return;
      const operations = writes.map((write) =>
        'insert' in write
          ? { insertOne: { document: { ...write.insert, organization } } }
          : { updateOne: { filter: within(write.filter), update: write.update } },
      );
      await collection.bulkWrite(operations as never[], { ordered: false }).catch(passOverDuplicates);
    },
    findOneAndUpdate: async (filter, update) =>
      (await collection.findOneAndUpdate(within(filter), update as object, { returnDocument: 'after' })) as T | null,
    updateMany: async (filter, update) => (await collection.updateMany(within(filter), update as object)).modifiedCount,
    deleteMany: async (filter) => (await collection.deleteMany(within(filter))).deletedCount,
  };
}
