import { Types, type QueryFilter } from 'mongoose';
import { z } from 'zod';
import type { latestResultField } from '../../models/index.js';
import { BadUserInputError, type FieldError } from '../errors.js';
import type { IndexKeys, OrganizationDocument, ScopedCollection } from './scoped-collection.js';

export const largestPage = 500;

/** One page of a Relay connection. https://relay.dev/graphql/connections.htm */
export interface Page<T> {
  readonly edges: readonly Row<T>[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  /** Counts all rows of the filter. It costs a query of its own, so it runs only on request. */
  countAll(): Promise<number>;
}

/** A row of a page, and its place in the list. The cursor is made when it is read: most callers need that of one row. */
export interface Row<T> {
  readonly cursor: string;
  readonly node: T;
}

/** Makes the rows of a page from the rows of another one. Their cursors are the same. */
export const mapRows = <T, R>(rows: readonly Row<T>[], map: (node: T, index: number) => R): Row<R>[] =>
  rows.map((row, index) => new LazyRow(map(row.node, index), () => row.cursor));

/** A class, because a getter on each object would make the objects slow. */
class LazyRow<T> implements Row<T> {
  constructor(
    readonly node: T,
    private readonly place: () => string,
  ) {}

  get cursor(): string {
    return this.place();
  }
}

/**
 * A part of a list. With `last` it is the end of the list, or the rows right before the cursor `before`; else it is the
 * beginning, or the rows right after the cursor `after`. The rows are in the order of the list both ways.
 */
export interface PageRequest {
  readonly first?: number | null;
  readonly after?: string | null;
  /** Counts instead of `first`, which has a default. */
  readonly last?: number | null;
  readonly before?: string | null;
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

/** The way in which a list is read: in its order, or from its end. */
export type Way = 'forward' | 'backward';

/** A list that is read page by page. */
export interface PageSource<T> {
  /** Name of the list. A cursor of a list with another name is refused. */
  readonly name: string;
  /**
   * @param from place of the row next to the page; null for the end of the list
   * @param way whether the page follows that row, or comes before it
   * @returns the rows from that place on: `backward`, the nearest one is the last of the page in the list's order
   */
  find(from: PagePosition | null, limit: number, way: Way): Promise<readonly T[]>;
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
  collection: Pick<ScopedCollection<T>, 'name' | 'findPage' | 'count'>,
  query: ListQuery<T>,
  request: PageRequest,
): Promise<Page<T>> {
  return readPageOf(pagesOf(collection, query), request, query.order);
}

/** The documents of a collection that match a query, page by page. */
export function pagesOf<T extends Listed>(
  collection: Pick<ScopedCollection<T>, 'name' | 'findPage' | 'count'>,
  { filter, order = newestFirst, index, single = false }: ListQuery<T>,
): PageSource<T> {
  return {
    name: collection.name,
    find(from, limit, way) {
      const { field, direction } = way === 'forward' ? order : reversed(order);
      const wanted = from ? { $and: [filter, beyond(from, { field, direction })] } : filter;
      return collection.findPage(wanted as QueryFilter<T>, {
        // `sequence` is unique, so it needs no second field, and its index alone serves the sort.
        ...(!single && { sort: { [field]: direction, ...(field !== 'sequence' && { _id: direction }) } }),
        limit,
        hint: index,
      });
    },
    count: () => collection.count(filter),
  };
}

const reversed = ({ field, direction }: PageOrder): PageOrder => ({ field, direction: direction === 1 ? -1 : 1 });

/**
 * Reads one page.
 * 1. It checks the page size and reads the cursor: the sort value and the id of the row next to the page.
 * 2. It reads one row more than the page holds, to see if there is a further page.
 * 3. Each row gets a cursor of its own.
 * Rows that are added between two pages neither shift nor repeat other rows.
 * @throws BadUserInputError for a page size outside 1 to 500, or a cursor that is not of this list
 */
export async function readPageOf<T extends Listed>(
  source: PageSource<T>,
  request: PageRequest,
  order: PageOrder = newestFirst,
): Promise<Page<T>> {
  const { way, size, from } = checkPage(request, source.name, order);
  const rows = await source.find(from, size + 1, way);
  const page = rows.slice(0, size);
  const [isMore, isInside] = [rows.length > size, from !== null];
  return {
    edges: (way === 'forward' ? page : page.reverse()).map(
      (node) => new LazyRow(node, () => encodeCursor(node, source.name, order)),
    ),
    hasNextPage: way === 'forward' ? isMore : isInside,
    hasPreviousPage: way === 'forward' ? isInside : isMore,
    countAll: () => source.count(),
  };
}

/** A page request that was checked. */
interface CheckedPage {
  readonly way: Way;
  readonly size: number;
  readonly from: PagePosition | null;
}

/**
 * Checks a page request.
 * @param list name of the list
 * @throws BadUserInputError with every issue
 */
export function checkPage(request: PageRequest, list: string, order: PageOrder = newestFirst): CheckedPage {
  const { issues, page } = examinePage(request, (cursor) => positionOf(cursor, list, order));
  if (issues.length > 0) throw new BadUserInputError(issues);
  return page;
}

/**
 * The issues of a page request whose list and order are not known: those of `checkPage`, but a cursor of another list or
 * order passes.
 * @param request may have values of wrong types; each of them is an issue
 */
export const pageIssues = (request: PageRequest): readonly FieldError[] =>
  examinePage(request, (cursor) => {
    try {
      return { value: null, id: new Types.ObjectId(decodeCursor(cursor)[4]) };
    } catch {
      return undefined;
    }
  }).issues;

function examinePage(
  { first, after, last, before }: PageRequest,
  positionIn: (cursor: string) => PagePosition | undefined,
): { readonly issues: readonly FieldError[]; readonly page: CheckedPage } {
  const issues: FieldError[] = [];
  const check = (path: string, size: number): void => {
    if (!Number.isInteger(size) || size < 1 || size > largestPage)
      issues.push({ path, message: `must be from 1 to ${largestPage}` });
  };
  const read = (path: string, cursor: string | null | undefined): PagePosition | null => {
    const position = cursor == null ? null : positionIn(cursor);
    if (position === undefined) issues.push({ path, message: wrongCursor });
    return position ?? null;
  };
  const backward = last != null;
  const size = last ?? first ?? 20;
  check(backward ? 'last' : 'first', size);
  const [following, preceding] = [read('after', after), read('before', before)];
  if (backward && after != null) issues.push({ path: 'after', message: 'goes with first: give before with last' });
  if (!backward && before != null) issues.push({ path: 'before', message: 'goes with last: give last too' });
  return {
    issues,
    page: { way: backward ? 'backward' : 'forward', size, from: backward ? preceding : following },
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

/** @returns undefined when the text is not a cursor of this list and order */
function positionOf(cursor: string, list: string, order: PageOrder): PagePosition | undefined {
  try {
    const [ofList, field, direction, value, id] = decodeCursor(cursor);
    if (ofList !== list || field !== order.field || direction !== order.direction) return undefined;
    return { value: parseSortValue(order.field, value), id: new Types.ObjectId(id) };
  } catch {
    return undefined;
  }
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
  const value: unknown = JSON.parse(json);
  return field === 'sequence' || field.startsWith('latestResults.')
    ? z.number().parse(value)
    : z.coerce.date().parse(z.string().parse(value));
}

const decodeCursor = (cursor: string): z.infer<typeof cursorSchema> =>
  cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));

const wrongCursor = 'is not a cursor of this list and order: pass a cursor that it returned';
