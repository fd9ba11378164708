import { Types, type QueryFilter } from 'mongoose';
import { z } from 'zod';
import type { latestResultField } from '../../models/index.js';
import { BadUserInputError } from '../errors.js';
import type { IndexKeys, OrganizationDocument, ScopedCollection } from './scoped-collection.js';

export const largestPage = 500;

/** One page of a Relay connection. https://relay.dev/graphql/connections.htm */
export interface Page<T> {
  readonly edges: readonly { readonly cursor: string; readonly node: T }[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  /** Counts all rows of the filter. It costs a query of its own, so it runs only on request. */
  countAll(): Promise<number>;
}

export interface PageRequest {
  readonly first?: number | null;
  readonly after?: string | null;
}

/** Field to sort by. `_id` decides between equal values, so a cursor names exactly one place in the list. */
export interface PageOrder {
  readonly field: '_id' | 'createdAt' | 'updatedAt' | 'sequence' | ReturnType<typeof latestResultField>;
  readonly direction: 1 | -1;
}

const newestFirst: PageOrder = { field: '_id', direction: -1 };
const cursorSchema = z.tuple([
  z.string(),
  z.string(),
  z.literal([1, -1]),
  z.string(),
  z.string().regex(/^[0-9a-f]{24}$/),
]);

/** The index of every list that is sorted by id alone. */
export const newestFirstIndex: IndexKeys = { organization: 1, _id: -1 };

/** The fields that every listed document has. */
export interface Listed extends OrganizationDocument {
  createdAt?: Date;
  updatedAt?: Date;
  sequence?: number;
}

/** The place of a row in a list: its sort value and its id. The value is null when the list is sorted by id alone. */
export interface PagePosition {
  readonly value: number | Date | null;
  readonly id: Types.ObjectId;
}

/** A list that is read page by page. */
export interface PageSource<T> {
  /** Name of the list. A cursor of a list with another name is refused. */
  readonly name: string;
  /** @param after place of the row before the page; null for the first page */
  find(after: PagePosition | null, limit: number): Promise<T[]>;
  count(): Promise<number>;
}

/** The documents of a list, and the way in which MongoDB reads them. */
export interface ListQuery<T> {
  readonly filter: QueryFilter<T>;
  /** @defaultValue newest first, by id */
  readonly order?: PageOrder;
  /**
   * The index that gives the documents in their order. Without its name MongoDB might take an index of the filter and
   * sort the documents in memory. That fails from some thousand documents on.
   */
  readonly index: IndexKeys;
  /** True if at most one document can match. It is then not sorted. */
  readonly single?: boolean;
}

/** Reads one page of a collection: see `readPageOf`. */
export async function readPage<T extends Listed>(
  collection: Pick<ScopedCollection<T>, 'name' | 'find' | 'count'>,
  query: ListQuery<T>,
  request: PageRequest,
): Promise<Page<T>> {
  return readPageOf(pagesOf(collection, query), request, query.order);
}

/** The documents of a collection that match a query, page by page. */
export function pagesOf<T extends Listed>(
  collection: Pick<ScopedCollection<T>, 'name' | 'find' | 'count'>,
  { filter, order = newestFirst, index, single = false }: ListQuery<T>,
): PageSource<T> {
  return {
    name: collection.name,
    find: (after, limit) =>
      collection.find({ $and: [filter, after ? beyond(after, order) : {}] } as QueryFilter<T>, {
        // `sequence` is unique, so it needs no second field, and its index alone serves the sort.
        ...(!single && {
          sort: { [order.field]: order.direction, ...(order.field !== 'sequence' && { _id: order.direction }) },
        }),
        limit,
        hint: index,
      }),
    count: () => collection.count(filter),
  };
}

/**
 * Reads one page.
 * 1. It checks the page size and reads the cursor: the sort value and the id of the last row of the previous page.
 * 2. It reads one row more than the page holds, to see if there is a next page.
 * 3. Each row gets a cursor of its own.
 * Rows that are added between two pages neither shift nor repeat other rows.
 * @throws BadUserInputError for a page size outside 1 to 500, or a cursor that is not of this list
 */
export async function readPageOf<T extends Listed>(
  source: PageSource<T>,
  request: PageRequest,
  order: PageOrder = newestFirst,
): Promise<Page<T>> {
  const first = request.first ?? 20;
  if (!Number.isInteger(first) || first < 1 || first > largestPage) {
    throw new BadUserInputError([{ path: 'first', message: `must be from 1 to ${largestPage}` }]);
  }
  const after = request.after == null ? null : positionOf(request.after, source.name, order);
  const rows = await source.find(after, first + 1);
  return {
    edges: rows.slice(0, first).map((node) => ({ cursor: encodeCursor(node, source.name, order), node })),
    hasNextPage: rows.length > first,
    hasPreviousPage: request.after != null,
    countAll: () => source.count(),
  };
}

function encodeCursor(row: Listed, list: string, { field, direction }: PageOrder): string {
  const value = field === '_id' ? '' : JSON.stringify(sortValue(row, field));
  const cursor: z.infer<typeof cursorSchema> = [list, field, direction, value, row._id.toHexString()];
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

/** The value of a field, which may lie within others, as in `latestResults.heart-disease.value`. */
const sortValue = (row: Listed, field: string): unknown =>
  field.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], row);

function positionOf(cursor: string, list: string, order: PageOrder): PagePosition {
  const [ofList, field, direction, value, id] = decodeCursor(cursor);
  if (ofList !== list || field !== order.field || direction !== order.direction) throw invalidCursor();
  return { value: parseSortValue(order.field, value), id: new Types.ObjectId(id) };
}

/** MongoDB filter of the rows after a position. */
function beyond({ value, id }: PagePosition, { field, direction }: PageOrder): object {
  const comparison = direction === 1 ? '$gt' : '$lt';
  const beyondId = { _id: { [comparison]: id } };
  if (field === '_id') return beyondId;
  // The first condition bounds the scan of the index; $or alone would make two scans.
  return { [field]: { [`${comparison}e`]: value }, $or: [{ [field]: { [comparison]: value } }, beyondId] };
}

/**
 * The sort value of a cursor: a number for `sequence` and for a latest result, else a date. A cursor that a caller made up can give nothing
 * else.
 */
function parseSortValue(field: PageOrder['field'], json: string): PagePosition['value'] {
  if (field === '_id') return null;
  try {
    const value: unknown = JSON.parse(json);
    return field === 'sequence' || field.startsWith('latestResults.')
      ? z.number().parse(value)
      : z.coerce.date().parse(z.string().parse(value));
  } catch {
    throw invalidCursor();
  }
}

function decodeCursor(cursor: string): z.infer<typeof cursorSchema> {
  try {
    return cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw invalidCursor();
  }
}

const invalidCursor = (): BadUserInputError =>
  new BadUserInputError([
    { path: 'after', message: 'is not a cursor of this list and order: pass an endCursor or cursor that it returned' },
  ]);
