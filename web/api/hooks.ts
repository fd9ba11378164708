import { useContext, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import {
  useClient,
  useMutation as useUrqlMutation,
  useQuery as useUrqlQuery,
  useSubscription as useUrqlSubscription,
} from '@urql/preact';
import type { AnyVariables, CombinedError } from '@urql/core';
import { ConnectionError } from '../../src/client/errors.js';
import { useStore } from '../components/store.js';
import type { TypedDocumentString } from '../generated/graphql.js';
import { ConnectionContext } from './connection.js';

/** The answer to a query as a page shows it. Earlier data stay while newer are on their way. */
interface QueryState<T> {
  readonly data: T | undefined;
  readonly error: CombinedError | undefined;
  /** True while there is nothing to show yet. */
  readonly isLoading: boolean;
  /** True while an answer is on its way. The data may be those of earlier variables. */
  readonly isFetching: boolean;
  /** Reads again from the API. */
  readonly reload: () => void;
}

/** The context with which a document is sent exactly as it stands on the allow-list. */
const contextOf = (document: object) => ({ text: String(document) });

/** Calls back when a lost connection is back. */
export function useHeals(read: () => unknown): void {
  const heals = useStore(useContext(ConnectionContext).heals);
  const seen = useRef(heals);
  useEffect(() => {
    if (seen.current === heals) return;
    seen.current = heals;
    read();
  }, [heals]);
}

/**
 * Reads from the cache, and then from the API.
 * @param options.pause true sends nothing, for instance while an input is missing
 */
export function useQuery<T, V extends AnyVariables>(
  document: TypedDocumentString<T, V>,
  variables: V,
  options: { readonly pause?: boolean } = {},
): QueryState<T> {
  const context = useMemo(() => contextOf(document), [document]);
  const [{ data, error, fetching, stale }, execute] = useUrqlQuery<T, V>({
    query: String(document),
    variables: variables as V,
    context,
    pause: options.pause,
  } as never);
  useHeals(() => !options.pause && execute({ requestPolicy: 'network-only' }));
  const shown = useKept({ data, error }, JSON.stringify(variables));
  return {
    ...shown,
    isFetching: fetching || stale,
    isLoading: !shown.data && !shown.error && (fetching || stale),
    reload: () => execute({ requestPolicy: 'network-only' }),
  };
}

interface Answer<T> {
  readonly data: T | undefined;
  readonly error: CombinedError | undefined;
}

/** Keeps what was read while the API is not reached. The shell says that the connection is lost. */
function useKept<T>(answer: Answer<T>, key: string): Answer<T> {
  const kept = useRef<{ readonly key: string; readonly data: T } | undefined>(undefined);
  if (answer.data !== undefined) kept.current = { key, data: answer.data };
  const isAway = answer.data === undefined && answer.error?.networkError instanceof ConnectionError;
  return isAway && kept.current?.key === key ? { data: kept.current.data, error: undefined } : answer;
}

/** Reads once from the API, for what is read in parts. @returns a function that never throws: it gives data or error */
export function useRead() {
  const client = useClient();
  return <T, V extends AnyVariables>(document: TypedDocumentString<T, V>, variables: V) =>
    client
      .query<T>(String(document), variables as never, { ...contextOf(document), requestPolicy: 'network-only' })
      .toPromise();
}

/** A mutation that a page runs. */
interface MutationState<T, V> {
  /** @returns the data, or undefined when the API refused: `error` then has its words */
  readonly run: (variables: V) => Promise<T | undefined>;
  readonly error: CombinedError | undefined;
  readonly isRunning: boolean;
  /** The data of the last run that was not refused. */
  readonly data: T | undefined;
}

export function useMutation<T, V extends AnyVariables>(document: TypedDocumentString<T, V>): MutationState<T, V> {
  const [{ data, error, fetching }, execute] = useUrqlMutation<T, V>(String(document));
  return {
    async run(variables) {
      const result = await execute(variables, contextOf(document));
      return result.error ? undefined : result.data;
    },
    error,
    isRunning: fetching,
    data,
  };
}

/**
 * Follows a subscription while the component is there. It resumes after a break. The cache takes up what it sends, so
 * queries of the same objects show it too.
 * @param onEvent called for each event, in its order
 * @param options.onBegin called when the events begin without the changes before them, first or after a break
 */
export function useSubscription<T, V extends AnyVariables>(
  document: TypedDocumentString<T, V>,
  variables: V,
  onEvent?: (event: T) => void,
  options: { readonly pause?: boolean; readonly onBegin?: () => void } = {},
): { readonly error: CombinedError | undefined } {
  const { onBegin } = options;
  const latest = useRef({ onEvent, onBegin });
  latest.current = { onEvent, onBegin };
  const context = useMemo(() => ({ ...contextOf(document), onBegin: () => latest.current.onBegin?.() }), [document]);
  const [{ error }] = useUrqlSubscription<T, T, V>(
    { query: String(document), variables, context, pause: options.pause } as never,
    (_previous, event) => {
      latest.current.onEvent?.(event);
      return event;
    },
  );
  return { error };
}

/** A page of a connection. */
interface Page<N> {
  readonly totalCount?: number;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor?: string | null };
  readonly edges: readonly { readonly node: N }[];
}

/** The rows of a connection that have been read so far. */
export interface Rows<N> {
  readonly rows: readonly N[];
  /** Rows of the whole list as the API counts them. Until it has counted, those that were read. */
  readonly totalCount: number;
  readonly isLoading: boolean;
  readonly hasMore: boolean;
  readonly error: CombinedError | undefined;
  /** Reads further pages until row `index` is there. */
  readonly reach: (index: number) => void;
  /** Reads the list again from its beginning. The rows stay until the new ones are there. */
  readonly reload: () => void;
}

const nothing = { rows: [], hasMore: true, after: null, totalCount: undefined } as const;

/**
 * Reads a list page by page, as its rows come into view. Rows never jump: a page is added below.
 * @param variables those of the document but `after`. Other values begin another list
 * @param pageOf finds the connection in an answer
 */
export function useQueryPage<T, V extends { after?: string | null }, N>(
  document: TypedDocumentString<T, V>,
  variables: Omit<V, 'after'>,
  pageOf: (data: T) => Page<N> | null | undefined,
): Rows<N> {
  const client = useClient();
  const key = JSON.stringify(variables);
  const [round, setRound] = useState(0);
  const [state, setState] = useState<{
    readonly rows: readonly N[];
    readonly hasMore: boolean;
    readonly after: string | null;
    readonly totalCount: number | undefined;
    readonly error?: CombinedError;
  }>(nothing);
  const [isLoading, setLoading] = useState(true);
  const wanted = useRef(0);
  const read = useRef<(() => void) | undefined>(undefined);
  const retry = useRef<(() => void) | undefined>(undefined);

  useEffect(() => {
    let live = true;
    let busy = false;
    let current: typeof state = nothing;
    async function readPage(): Promise<void> {
      if (busy || !live || !current.hasMore || current.error) return;
      busy = true;
      setLoading(true);
      const result = await client
        .query<T>(String(document), { ...variables, after: current.after } as never, {
          ...contextOf(document),
          requestPolicy: 'network-only',
        })
        .toPromise();
      busy = false;
      if (!live) return;
      const page = result.data ? pageOf(result.data) : undefined;
      current = page
        ? {
            rows: [...current.rows, ...page.edges.map(({ node }) => node)],
            hasMore: page.pageInfo.hasNextPage,
            after: page.pageInfo.endCursor ?? null,
            totalCount: page.totalCount ?? current.totalCount,
          }
        : // Without an error the API says that there is no such list: there is nothing more to ask for.
          { ...current, hasMore: result.error !== undefined, error: result.error };
      setState(current);
      setLoading(false);
      if (current.rows.length <= wanted.current) void readPage();
    }
    read.current = () => void readPage();
    retry.current = () => {
      if (!current.error) return;
      current = { ...current, error: undefined };
      void readPage();
    };
    wanted.current = 0;
    void readPage();
    return () => {
      live = false;
    };
  }, [client, document, key, round]);

  useHeals(() => retry.current?.());

  return {
    rows: state.rows,
    totalCount: Math.max(state.totalCount ?? 0, state.rows.length),
    isLoading,
    hasMore: state.hasMore,
    error: state.error,
    reach(index) {
      if (index < wanted.current && index < state.rows.length) return;
      wanted.current = index;
      if (index >= state.rows.length) read.current?.();
    },
    reload: () => setRound((count) => count + 1),
  };
}
