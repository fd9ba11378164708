import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { handleProtocols } from 'graphql-ws';
import type { Logger } from 'pino';
import { WebSocketServer, type WebSocket } from 'ws';
import { logError } from '../process/logger.js';
import { BadUserInputError, ForbiddenError, RateLimitedError, ServiceUnavailableError } from '../errors.js';
import { closeCodes } from './close-codes.js';
import type { ErrorFormatter } from './error-format.js';
import type { Places } from './places.js';
import type { RequestLimiter } from './rate-limits.js';
import { announcedBytes, hostError, nothingHere, writeRefusal } from './request-errors.js';
import type { RequestSources } from './request-source.js';
import { socketOptions } from './socket-limits.js';
import { isAllowedOrigin } from './socket-origin.js';

/** Longest time from a request for a WebSocket to its answer, milliseconds. */
const upgradeTimeoutMs = 10_000;

/** A WebSocket that was opened, and where it came from. */
export interface OpenedSocket {
  readonly socket: WebSocket;
  /** The connection that carries the socket. */
  readonly stream: Duplex;
  readonly requestId: string;
  readonly address: string;
  /** Holds the place of the socket. */
  readonly place: { end(): void };
}

interface UpgradeDependencies {
  readonly sources: RequestSources;
  readonly limiter: Pick<RequestLimiter, 'count'> | undefined;
  readonly places: Places;
  readonly corsOrigins: readonly string[];
  readonly formatError: ErrorFormatter;
  readonly logger: Logger;
  /** Serves a socket that was opened. */
  readonly serve: (opened: OpenedSocket) => void;
}

interface Refusal {
  readonly status: number;
  readonly error: Error;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Opens WebSockets at `/graphql`, and nowhere else. Node.js hands each request with `Upgrade` to one listener, without
 * the router. So a request that is refused meets none of the router's ways: it gets one answer, and its connection is
 * destroyed. An upgrade has these steps:
 *
 * 1. Refuse what is no request for a WebSocket at `/graphql`, what has a body, and what a foreign page sends.
 * 2. Take a place among the sockets without a credential, and count the request for its address.
 * 3. Open the socket, unless the client has gone.
 *
 * @returns closes all sockets, spread over so many milliseconds: their clients connect again, to another server if there
 * is one, and shall not come as one wave. No new socket is opened after that. A proxy sends the refused request to
 * another server.
 */
export function serveUpgrades(
  server: Server,
  { sources, limiter, places, corsOrigins, formatError, logger, serve }: UpgradeDependencies,
): (overMs: number) => void {
  const sockets = new WebSocketServer({ noServer: true, clientTracking: true, handleProtocols, ...socketOptions });
  let isEnding = false;

  server.on('upgrade', (request, stream, head) => {
    stream.on('error', () => stream.destroy());
    const timer = setTimeout(() => stream.destroy(), upgradeTimeoutMs);
    stream.once('close', () => clearTimeout(timer));
    const requestId = sources.requestIdOf(request);
    const refuse = ({ status, error, headers }: Refusal): void =>
      writeRefusal(stream, { status, headers, errors: [formatError(error, requestId)] });
    const refusal = isEnding ? endingRefusal() : refusalOf(request, sources, corsOrigins);
    if (refusal) return refuse(refusal);

    const address = sources.addressOf(request);
    let socket: WebSocket | undefined;
    const place = {
      end() {
        if (!socket) return refuse(crowdedRefusal());
        socket.close(closeCodes.tryAgainLater, 'Too many sockets without a token: connect again');
        stream.destroy();
      },
    };
    places.enter(place, address);
    stream.once('close', () => places.leave(place));
    void countUpgrade(limiter, address).then(
      (tooMany) => {
        if (tooMany) return refuse(tooMany);
        if (stream.destroyed) return;
        sockets.handleUpgrade(request, stream, head, (opened) => {
          clearTimeout(timer);
          socket = opened;
          serve({ socket, stream, requestId, address, place });
        });
      },
      (error: unknown) => {
        logError(logger, error, 'request for a WebSocket');
        stream.destroy();
      },
    );
  });

  return (overMs) => {
    isEnding = true;
    for (const client of sockets.clients) {
      const end = (): void => client.close(closeCodes.goingAway, 'Going away: connect again');
      if (overMs === 0) end();
      else setTimeout(end, Math.random() * overMs).unref();
    }
    if (overMs === 0) sockets.close();
  };
}

const laterRefusal = (message: string): Refusal => ({
  status: 503,
  error: new ServiceUnavailableError(message),
  headers: { 'Retry-After': '1' },
});
const endingRefusal = (): Refusal => laterRefusal('This server is about to stop: connect again in a moment.');
const crowdedRefusal = (): Refusal =>
  laterRefusal('Too many sockets without a token: connect again in a moment, and send the token at once.');

/** Counts a request for a WebSocket. @returns a refusal when the address has made too many requests */
async function countUpgrade(limiter: UpgradeDependencies['limiter'], address: string): Promise<Refusal | undefined> {
  try {
    await limiter?.count({ viewer: null }, address);
    return undefined;
  } catch (error) {
    if (!(error instanceof RateLimitedError)) throw error;
    return { status: 429, error, headers: { 'Retry-After': String(error.retryAfterSeconds) } };
  }
}

/** Finds the reason why a request may not open a WebSocket, from the request alone. */
function refusalOf(
  request: IncomingMessage,
  sources: RequestSources,
  corsOrigins: readonly string[],
): Refusal | undefined {
  const { headers, method, url = '' } = request;
  if (url.split('?')[0] !== '/graphql') return { status: 404, error: nothingHere() };
  const isForWebSocket = method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
  if (!isForWebSocket || announcedBytes(request) !== 0) {
    const message = 'is only for a WebSocket, with GET and without a body: leave the header out of other requests';
    return { status: 400, error: new BadUserInputError([{ path: 'upgrade', message }]) };
  }
  const host = sources.hostOf(request);
  const hostIssue = hostError(host);
  if (hostIssue) return { status: 400, error: hostIssue };
  if (isAllowedOrigin({ origin: headers.origin, host }, corsOrigins)) return undefined;
  return {
    status: 403,
    error: new ForbiddenError('A page of this origin may not open a WebSocket here: add the origin to CORS_ORIGINS.'),
  };
}
