import { ArgsType, Field, Int, ObjectType, type ClassType } from 'type-graphql';
import { mapRows, type Page, type Row } from '../../src/scope/pagination.js';

/** The page information of Relay. https://relay.dev/graphql/connections.htm#sec-undefined.PageInfo */
@ObjectType({ simpleResolvers: true, description: 'The place of a page in its list.' })
class PageInfo {
  @Field(() => Boolean, { description: 'True when rows follow this page.' })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: 'True when rows come before this page.' })
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: 'Cursor of the first row. Null when the page is empty.' })
  startCursor!: string | null;

  @Field(() => String, { nullable: true, description: 'Cursor of the last row. Null when the page is empty.' })
  endCursor!: string | null;
}

@ArgsType()
export class PageArguments {
  @Field(() => Int, { nullable: true, defaultValue: 20, description: 'Rows per page, from 1 to 500.' })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'A cursor of this list. The page begins after it.' })
  after?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Rows from the end of the list, from 1 to 500, or from `before`. It counts instead of `first`.',
  })
  last?: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'A cursor of this list. With `last`, the page ends before it.',
  })
  before?: string | null;
}

type Edges<T> = readonly Row<T>[];

/** A Relay connection. A part that is a function runs only when a caller asks for it. */
interface Connection<T> {
  readonly edges: Edges<T> | (() => Promise<Edges<T>>);
  readonly pageInfo: PageInfo | (() => Promise<PageInfo>);
  readonly totalCount: () => Promise<number>;
}

/** A connection whose page was already read. */
interface ReadConnection<T> extends Connection<T> {
  readonly edges: Edges<T>;
  readonly pageInfo: PageInfo;
}

/** Makes the Connection and Edge types of a node type, e.g. `PatientConnection`. */
export function connectionType<T extends object>(node: ClassType<T>, name: string): ClassType<Connection<T>> {
  @ObjectType(`${name}Edge`, { simpleResolvers: true, description: `A row of a page: one ${name} and its place.` })
  class Edge {
    @Field(() => String, { description: 'The place of the row in its list. It is opaque.' })
    cursor!: string;

    @Field(() => node, { description: `The ${name} of this row.` })
    node!: T;
  }

  @ObjectType(`${name}Connection`, { description: `A page of a list, with one ${name} per row.` })
  class ConnectionOfNode implements Connection<T> {
    // Simple fields: graphql itself calls a function, and only when a caller asks for the field.
    @Field(() => [Edge], { simple: true, description: 'The rows of the page, in the order of the list.' })
    edges!: Edge[] | (() => Promise<Edges<T>>);

    @Field(() => PageInfo, { simple: true, description: 'The place of the page in the list.' })
    pageInfo!: PageInfo | (() => Promise<PageInfo>);

    @Field(() => Int, {
      description: 'Number of all rows that match the filter, not only those of this page.',
      name: 'totalCount',
      simple: true,
    })
    totalCount!: () => Promise<number>;
  }
  return ConnectionOfNode;
}

/** Maps a page of documents to a connection of API objects. */
export function toConnection<D, T>(page: Page<D>, map: (document: D) => T): ReadConnection<T> {
  const edges = mapRows(page.edges, map);
  return {
    edges,
    pageInfo: new LazyPageInfo(page, edges),
    totalCount: page.countAll,
  };
}

/** The cursors are made for a caller who asks for them. */
class LazyPageInfo implements PageInfo {
  constructor(
    private readonly page: Pick<PageInfo, 'hasNextPage' | 'hasPreviousPage'>,
    private readonly edges: readonly { readonly cursor: string }[],
  ) {}

  get hasNextPage() {
    return this.page.hasNextPage;
  }
  get hasPreviousPage() {
    return this.page.hasPreviousPage;
  }
  get startCursor() {
    return this.edges[0]?.cursor ?? null;
  }
  get endCursor() {
    return this.edges.at(-1)?.cursor ?? null;
  }
}

/**
 * Makes a connection that is a field of each of many objects. Its page is read only when a caller asks for it. Its
 * count comes from a loader, which counts for all those objects at once.
 */
export function toNestedConnection<D, T>(
  read: () => Promise<Page<D>>,
  map: (document: D) => T,
  totalCount: () => Promise<number>,
): Connection<T> {
  let page: Promise<ReadConnection<T>> | undefined;
  const connection = (): Promise<ReadConnection<T>> => (page ??= read().then((rows) => toConnection(rows, map)));
  return {
    edges: async () => (await connection()).edges,
    pageInfo: async () => (await connection()).pageInfo,
    totalCount,
  };
}
