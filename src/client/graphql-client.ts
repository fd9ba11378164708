import { toCredential, type Credential } from './credential.js';
import { readOperation } from './document.js';
import { ConnectionError, GraphqlRequestError, type Result } from './errors.js';
import { createEventStreamTransport } from './event-stream.js';
import { follow } from './follow.js';
import { iterate } from './iterate.js';
import { read, send, type Fetch, type Operation } from './post.js';
import { createSocketTransport } from './socket.js';
import type { Sink, Transport } from './transport.js';
import { apiUrl } from './url.js';
import { backoffMs, wait } from './wait.js';

/** A document with the types of its result and variables, as codegen makes them. */
export type TypedDocument<TResult, TVariables> = { __apiType?: (variables: TVariables) => TResult } & object;

/** Options of a client. */
export interface ClientOptions {
  /** Address of the API, e.g. `https://riskgraph.example.org`. `/graphql` is added when it has no path. */
  readonly url: string;
  /** An access token, an API key, or a function that returns one. It is called for each request and connection. */
  readonly token?: string | ((refused?: string) => string | undefined | Promise<string | undefined>);
  /** The session of a user, in place of a token (session.ts). */
  readonly session?: Credential;
  /**
   * Implementation of WebSocket, e.g. that of the package ws on Node.js 20.
   * @defaultValue the global one. `false`, or none: subscriptions come as server-sent events
   */
  readonly webSocket?: unknown;
  /** @defaultValue the global fetch */
  readonly fetch?: Fetch;
  /**
   * Attempts in a row that may fail before a subscription does.
   * @defaultValue Infinity
   */
  readonly attempts?: number;
  /**
   * Time between two pings of a WebSocket, milliseconds. One on which nothing arrived in between is given up.
   * @defaultValue 10,000
   */
  readonly keepAliveMs?: number;
  /** Called when a connection broke, before the client waits and connects again: for a sign on the screen. */
  readonly onBreak?: (error: Error, waitMs: number) => void;
  /**
   * Called when the events of a subscription begin without the changes before them, first or after a break: read again
   * now what they change.
   */
  readonly onBegin?: (operation: Operation) => void;
  /**
   * Writes a document that is a syntax tree: `print` of the package graphql.
   * @defaultValue documents are texts, as `documentMode: 'string'` of codegen makes them
   */
  readonly print?: (document: never) => string;
}

/** The variables of an operation whose document is a text. */
type Variables = Operation['variables'];

/** What a subscriber may give. */
export interface SubscribeOptions {
  /** Called when the events begin without the changes before them: read again now what they change. */
  readonly onBegin?: (after: string) => void;
}

/** A client of the API, typed by the documents of codegen. */
export interface GraphqlClient {
  /**
   * Sends a query or mutation. A query that got no answer is sent again twice.
   * @param signal ends the wait for an answer
   * @throws GraphqlRequestError for an answer with errors, ConnectionError when there is none
   */
  request<TResult, TVariables = Variables>(
    document: TypedDocument<TResult, TVariables> | string,
    variables?: TVariables,
    signal?: AbortSignal,
  ): Promise<TResult>;
  /**
   * Yields the events of a subscription until the server completes it. It resumes after a break. Leaving the loop ends
   * it.
   * @throws GraphqlRequestError, or ConnectionError after `attempts`
   */
  subscribe<TResult, TVariables>(
    document: TypedDocument<TResult, TVariables>,
    variables: TVariables,
    options?: SubscribeOptions,
  ): AsyncIterableIterator<TResult>;
  /** The same for a document that is a text. */
  subscribe<TResult = unknown>(
    text: string,
    variables?: Variables,
    options?: SubscribeOptions,
  ): AsyncIterableIterator<TResult>;
  /** Sends an operation as text. Errors of the API are part of the result. @throws ConnectionError */
  execute(operation: Operation, signal?: AbortSignal): Promise<Result>;
  /** Follows a subscription as text, as `subscribe` does. @returns a function that ends it */
  observe(operation: Operation, sink: Sink): () => void;
  /** Ends all subscriptions as if the API had completed them, and closes the connections. */
  close(): Promise<void>;
}

/** Times that a query is sent at most. */
const queryAttempts = 3;
/** Failures in a row after which events come over HTTP, before and after a WebSocket has worked once. */
const failuresWhereNoneWorked = 1;
const failuresWhereOneWorked = 3;
/** Time after which a WebSocket is tried again where one has worked before, milliseconds. */
const tryAgainMs = 60_000;

/** Creates a client. Nothing is connected before the first subscription. */
export function createClient(options: ClientOptions): GraphqlClient {
  const url = apiUrl(options.url);
  const credential = options.session ?? toCredential(options.token);
  const posting = { url, fetch: options.fetch ?? ((...parameters) => fetch(...parameters)) } satisfies {
    fetch: Fetch;
    url: string;
  };
  const {
    webSocket = (globalThis as { WebSocket?: unknown }).WebSocket,
    attempts = Infinity,
    onBreak,
    onBegin,
  } = options;
  /** Ends the subscriptions that run, and tells their subscribers. */
  const running = new Set<() => void>();
  let failures = 0;
  let failedAt = 0;
  let worked = false;

  const socket = webSocket
    ? createSocketTransport({
        url,
        webSocket,
        credential,
        keepAliveMs: options.keepAliveMs ?? 10_000,
        onOutcome(accepted) {
          worked ||= accepted;
          failures = accepted ? 0 : failures + 1;
          failedAt = Date.now();
        },
      })
    : undefined;
  const eventStream = createEventStreamTransport({
    posting,
    credential,
    // The next attempt is a WebSocket again.
    onOutcome: (accepted) => void (accepted || (failures -= 1)),
  });
  function transport(): Transport {
    if (!socket) return eventStream;
    const isOver = worked && Date.now() - failedAt > tryAgainMs;
    return failures < (worked ? failuresWhereOneWorked : failuresWhereNoneWorked) || isOver ? socket : eventStream;
  }
  const textOf = (document: object | string): string =>
    typeof document === 'object' && 'kind' in document && options.print
      ? options.print(document as never)
      : String(document);

  async function execute(operation: Operation, signal?: AbortSignal): Promise<Result> {
    const token = await credential.token();
    const ask = async (used?: string) => read(await send(posting, operation, { token: used, signal }));
    const result = await ask(token);
    if (!token || !result.errors?.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED')) return result;
    const next = await credential.token(token);
    return next === token ? result : ask(next);
  }
  function observe(operation: Operation, sink: Sink): () => void {
    const leave = (): void => {
      running.delete(end);
      stop();
    };
    const end = (): void => {
      leave();
      sink.complete();
    };
    const stop = follow({ transport, attempts, onBreak }, operation, {
      begun(after) {
        sink.begun?.(after);
        onBegin?.(operation);
      },
      next: (result) => sink.next(result),
      error(error) {
        leave();
        sink.error(error);
      },
      complete: end,
    });
    running.add(end);
    return leave;
  }

  return {
    execute,
    observe,
    async request<T>(document: object | string, variables?: unknown, signal?: AbortSignal) {
      const operation = { query: textOf(document), variables: variables as Variables };
      const isQuery = readOperation(operation.query).kind === 'query';
      for (let attempt = 1; ; attempt += 1) {
        try {
          const { data, errors } = await execute(operation, signal);
          if (errors) throw new GraphqlRequestError(errors, data);
          return data as T;
        } catch (error) {
          if (!(error instanceof ConnectionError) || !isQuery || attempt === queryAttempts) throw error;
          await wait(backoffMs(attempt), signal);
        }
      }
    },
    subscribe: <T>(document: object | string, variables?: unknown, { onBegin: begun }: SubscribeOptions = {}) =>
      iterate<T>((sink) => observe({ query: textOf(document), variables: variables as Variables }, { ...sink, begun })),
    async close() {
      running.forEach((end) => end());
      eventStream.close();
      socket?.close();
    },
  };
}
