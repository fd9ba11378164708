import { ArgsType, Field, Int, ObjectType, type ClassType } from 'type-graphql';
import type { Page } from '../../src/scope/pagination.js';

/** The page information of Relay. https://relay.dev/graphql/connections.htm#sec-undefined.PageInfo */
@ObjectType({ simpleResolvers: true })
class PageInfo {
  @Field(() => Boolean)
  hasNextPage!: boolean;

  @Field(() => Boolean)
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true })
  startCursor!: string | null;

  @Field(() => String, { nullable: true })
  endCursor!: string | null;
}

@ArgsType()
export class PageArguments {
  @Field(() => Int, { nullable: true, defaultValue: 20, description: 'Rows per page, from 1 to 500.' })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'A cursor of this list. The page begins after it.' })
  after?: string | null;
}

type Edges<T> = readonly { readonly cursor: string; readonly node: T }[];

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
  @ObjectType(`${name}Edge`, { simpleResolvers: true })
  class Edge {
    @Field(() => String)
    cursor!: string;

    @Field(() => node)
    node!: T;
  }

  @ObjectType(`${name}Connection`)
  class ConnectionOfNode implements Connection<T> {
    // Simple fields: graphql itself calls a function, and only when a caller asks for the field.
    @Field(() => [Edge], { simple: true })
    edges!: Edge[] | (() => Promise<Edges<T>>);

    @Field(() => PageInfo, { simple: true })
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
  const edges = page.edges.map(({ cursor, node }) => ({ cursor, node: map(node) }));
  return {
    edges,
    pageInfo: {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: page.hasPreviousPage,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount: page.countAll,
  };
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
