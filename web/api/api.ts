import { Client, subscriptionExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { ConnectionError, GraphqlRequestError, type ResponseError } from '../../src/client/errors.js';
import { executeOnce } from '../../src/client/execute-once.js';
import { keys } from '../../src/client/generated/cache-configuration.js';
import { createClient, type GraphqlClient } from '../../src/client/graphql-client.js';
import type { Sink } from '../../src/client/transport.js';
import { RefusedError } from '../session/refused-error.js';
import type { Session } from '../session/session.js';
import type { Connection } from './connection.js';

/** The two clients of the API: urql with its cache for what pages show, and the one below it. */
export interface Api {
  readonly urql: Client;
  readonly client: GraphqlClient;
  /**
   * Reads past the cache: for lists so long that it must not keep them.
   * @throws GraphqlRequestError, ConnectionError
   */
  readonly read: GraphqlClient['request'];
}

/**
 * Connects to the API. Queries and mutations go over HTTP. Subscriptions share one WebSocket, and resume after a break
 * without losing an event.
 */
export function createApi(session: Session, connection: Connection): Api {
  const client = createClient({ url: `${location.origin}/graphql`, session, onBreak: () => connection.lost() });
  const once = executeOnce(client);
  const urql = new Client({
    url: '/graphql',
    preferGetMethod: false,
    requestPolicy: 'cache-and-network',
    exchanges: [
      cacheExchange({ keys }),
      subscriptionExchange({
        enableAllOperations: true,
        forwardSubscription: ({ variables, operationName }, { kind, context }) => ({
          subscribe(sink) {
            // The cache writes the document again. It is sent as it stands on the allow-list.
            const operation = { query: context['text'] as string, variables, operationName };
            const observed = {
              ...observeAnswers(sink as never, { connection, session }),
              begun: () => (context['onBegin'] as (() => void) | undefined)?.(),
            };
            return { unsubscribe: (kind === 'subscription' ? client.observe : once)(operation, observed) };
          },
        }),
      }),
    ],
  });
  return {
    urql,
    client,
    async read(document, variables, signal) {
      try {
        const data = await client.request(document, variables, signal);
        connection.works();
        return data;
      } catch (error) {
        if (error instanceof ConnectionError) connection.lost();
        if (error instanceof GraphqlRequestError) check(session, error.errors);
        throw error;
      }
    },
  };
}

/** A credential that the API no longer accepts ends the session, and the sign-in page shows why. */
function check(session: Session, errors: readonly ResponseError[] = []): void {
  if (errors.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED'))
    void session.signOut(new RefusedError(errors));
}

/** Tells the connection of each answer, and of each that did not come. */
function observeAnswers(
  sink: Sink,
  { connection, session }: { readonly connection: Connection; readonly session: Session },
): Sink {
  return {
    next(result) {
      connection.works();
      check(session, result.errors);
      sink.next(result);
    },
    error(error) {
      if (error instanceof ConnectionError) connection.lost();
      if (error instanceof GraphqlRequestError) check(session, error.errors);
      sink.error(error);
    },
    complete: () => sink.complete(),
  };
}
