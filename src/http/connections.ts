import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Viewer } from '../auth/viewer.js';
import { unknownAddress } from '../net/address-block.js';
import { RateLimitedError, ServiceUnavailableError } from '../errors.js';
import type { PlaceRefusal, Places } from './places.js';
import type { RequestSources } from './request-source.js';

/**
 * The most requests of one connection whose answers are not complete yet. Clients that pipeline send the next request
 * early, so Node.js begins every request that a read brings.
 */
const mostUnanswered = 32;
/** Time after which a refused client may try again, seconds. */
const retryAfterSeconds = 10;

/** Watches the connections of callers who speak HTTP. */
export interface Connections {
  /** Number of connections of any kind. */
  readonly size: number;
  /**
   * Moves a connection to the places of its user.
   * @throws RateLimitedError when the user or the organization has too many, ServiceUnavailableError when the process has
   */
  prove(connection: Socket, viewer: Viewer): void;
  /** Gives the place of a connection back, because it becomes a stream of events, which has a place of its own. */
  leave(connection: Socket): void;
}

/**
 * Gives each connection a place. A connection of a trusted proxy carries the requests of many callers, and so has none.
 * A connection leaves its place when it ends, or becomes a WebSocket, which has a place of its own.
 */
export function watchConnections(
  server: Server,
  {
    places,
    most,
    sources,
  }: {
    readonly places: Places;
    /** The most connections of any kind. One more is ended at once. */
    readonly most: number;
    readonly sources: RequestSources;
  },
): Connections {
  let count = 0;
  const holders = new WeakMap<Socket, { end(): void }>();
  const unanswered = new WeakMap<Socket, number>();

  function leave(connection: Socket): void {
    const holder = holders.get(connection);
    if (!holder) return;
    holders.delete(connection);
    places.leave(holder);
  }

  // The server has several listening sockets (accept-many.ts), and its own maxConnections would count one of them.
  server.on('connection', (connection) => {
    if (count >= most) return void connection.destroy();
    count += 1;
    connection.once('close', () => (count -= 1));
    if (sources.isFromProxy({ socket: connection })) return;
    const holder = { end: () => void connection.destroy() };
    holders.set(connection, holder);
    places.enter(holder, connection.remoteAddress ?? unknownAddress);
    connection.once('close', () => leave(connection));
  });
  server.prependListener('upgrade', ({ socket }) => leave(socket));
  passRequests(server, ({ socket }, response) => {
    const before = unanswered.get(socket) ?? 0;
    if (before >= mostUnanswered) socket.destroy();
    if (socket.destroyed) return false;
    unanswered.set(socket, before + 1);
    response.once('close', () => unanswered.set(socket, unanswered.get(socket)! - 1));
    return true;
  });

  return {
    get size() {
      return count;
    },
    leave,
    prove(connection, viewer) {
      const holder = holders.get(connection);
      const refusal = holder && places.prove(holder, viewer);
      if (refusal === 'process') {
        throw new ServiceUnavailableError(
          'This server has no place for another connection: try again in a moment, on another server if there is one.',
        );
      }
      if (refusal) throw new RateLimitedError(tooMany[refusal], retryAfterSeconds);
    },
  };
}

/**
 * Hands requests to the listeners that the server has so far, if they may pass. One read may bring thousands, and
 * Node.js goes on with those behind the one whose connection was ended. The others are destroyed at once: else Node.js
 * makes an error with a stack for each.
 */
function passRequests(server: Server, mayPass: (request: IncomingMessage, response: ServerResponse) => boolean): void {
  const listeners = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    if (!mayPass(request, response)) return void request.destroy();
    for (const listener of listeners) listener.call(server, request, response);
  });
}

const tooMany: Readonly<Record<Exclude<PlaceRefusal, 'process'>, string>> = {
  user: 'This user has too many connections: use those that are open.',
  organization: 'This organization has too many connections: use those that are open.',
};
