import type { Fetcher } from '@graphiql/toolkit';
import { getOperationAST } from 'graphql';
import { createClient, type Client } from 'graphql-ws';
import type { Session } from './session.js';

/** Headers with their names in small letters, so that `Authorization` replaces `authorization`. */
const lowerCased = (headers: Record<string, unknown> | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]));

/**
 * Sends queries and mutations over HTTP, and subscriptions over the WebSocket of the same address. The credential is
 * the header `authorization` of the headers editor; without one it is that of the session.
 */
export function createFetcher(endpoint: string, session: Session): Fetcher {
  return (params, options) => {
    const given = lowerCased(options?.headers);
    const operation = options?.documentAST && getOperationAST(options.documentAST, params.operationName);
    const authorization = (): string | undefined => given['authorization'] ?? session.state().authorization;
    if (operation?.operation === 'subscription') return follow(endpoint, params, authorization, session);
    const credential = authorization();
    return fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...given,
        ...(credential && { authorization: credential }),
      },
      body: JSON.stringify(params),
    }).then((response) => response.json());
  };
}

/**
 * Follows a subscription on a socket of its own, which ends with the subscription. A renewed credential is sent by a
 * ping, so that the socket outlives the access token with which it began.
 */
async function* follow(
  endpoint: string,
  params: Parameters<Fetcher>[0],
  authorization: () => string | undefined,
  session: Session,
): AsyncGenerator<Awaited<ReturnType<ReturnType<Client['iterate']>['next']>>['value']> {
  let socket: WebSocket | undefined;
  const client = createClient({
    url: endpoint.replace(/^http/, 'ws'),
    connectionParams: () => ({ authorization: authorization() }),
    on: { connected: (opened) => void (socket = opened as WebSocket) },
  });
  const stop = session.onChange(() => {
    const credential = authorization();
    if (credential && socket?.readyState === WebSocket.OPEN)
      socket.send(JSON.stringify({ type: 'ping', payload: { authorization: credential } }));
  });
  try {
    yield* client.iterate({ ...params, variables: params.variables as Record<string, unknown> | undefined });
  } catch (error) {
    throw error instanceof CloseEvent
      ? new Error(`The server closed the socket: ${error.code} ${error.reason}`)
      : error;
  } finally {
    stop();
    await client.dispose();
  }
}
