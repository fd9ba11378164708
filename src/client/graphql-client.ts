import { createClient, type Client } from 'graphql-ws';
import WebSocket from 'ws';
import { StartupError } from '../errors.js';
import type { TypedDocumentString } from './generated/graphql.js';

/** An error of a response, as the API's contract defines it. */
export interface ResponseError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: {
    readonly code?: string;
    readonly fields?: readonly { path: string; message: string }[];
    readonly correlationId?: string;
    readonly retryAfterSeconds?: number;
  };
}

/** Thrown for a response with errors. */
export class GraphqlRequestError extends Error {
  override readonly name = 'GraphqlRequestError';
  constructor(readonly errors: readonly ResponseError[]) {
    super(errors.map(({ message, extensions }) => `${extensions?.code ?? 'ERROR'}: ${message}`).join('; '));
  }
  /** The code of the first error. */
  get code(): string | undefined {
    return this.errors[0]?.extensions?.code;
  }
}

/** A client of the API, typed by the generated documents. */
export interface GraphqlClient {
  /** @throws GraphqlRequestError, or StartupError when nothing answers at the URL */
  request<TResult, TVariables>(
    document: TypedDocumentString<TResult, TVariables>,
    variables?: TVariables,
  ): Promise<TResult>;
  /**
   * Yields events until the server completes the subscription. Leaving the loop ends it.
   * @throws GraphqlRequestError
   */
  subscribe<TResult, TVariables>(
    document: TypedDocumentString<TResult, TVariables>,
    variables: TVariables,
  ): AsyncIterableIterator<TResult>;
  /** Closes the WebSocket, and with it all subscriptions. */
  close(): Promise<void>;
}

/** @param url of the server, e.g. `http://127.0.0.1:4000` */
export function createGraphqlClient(url: string, token?: string): GraphqlClient {
  const endpoint = new URL('/graphql', url);
  let socket: Client | undefined;
  const sockets = (): Client =>
    (socket ??= createClient({
      url: endpoint.href.replace(/^http/, 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: token ? { authorization: `Bearer ${token}` } : {},
      retryAttempts: 0,
    }));

  return {
    async request(document, variables) {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
        body: JSON.stringify({ query: document.toString(), variables }),
      }).catch((error: unknown) => {
        throw new StartupError(
          `No RiskGraph answers at ${endpoint.origin}: start it with "riskgraph up", or name another server with --url.`,
          { cause: error },
        );
      });
      const body = (await response.json()) as { data?: never; errors?: ResponseError[] };
      if (body.errors) throw new GraphqlRequestError(body.errors);
      return body.data!;
    },
    async *subscribe<TResult, TVariables>(document: TypedDocumentString<TResult, TVariables>, variables: TVariables) {
      const events = sockets().iterate<TResult>({
        query: document.toString(),
        variables: variables as Record<string, unknown>,
      });
      try {
        for await (const { data, errors } of events) {
          if (errors) throw new GraphqlRequestError(errors as unknown as ResponseError[]);
          yield data as TResult;
        }
      } catch (error) {
        throw Array.isArray(error) ? new GraphqlRequestError(error as ResponseError[]) : error;
      }
    },
    async close() {
      // This fails when there never was a connection. Then there is nothing to close.
      await Promise.resolve(socket?.dispose()).catch(() => undefined);
    },
  };
}
