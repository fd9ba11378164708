import type { FastifyInstance } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { Server as TcpServer } from 'node:net';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';

/**
 * Time for which a closing server waits for its connections, milliseconds. Node.js counts a connection that has sent
 * nothing as one with a request, and would wait for it.
 */
const longestCloseMs = 10_000;
/**
 * Time for which a server that listens no more still answers, milliseconds. It is longer than a proxy keeps an idle
 * connection (keepalive_timeout in ops/nginx/nginx.conf, 3 s). So no request meets a connection that ends.
 */
const lingerMs = 4_000;
/** Longest turn of the event loop in which the server ends to listen, milliseconds. */
const quietTurnMs = 0.5;
/** Turns that a busy server waits for such a one. */
const mostTurns = 500;
/** Period in which the last connections are counted, milliseconds. */
const countPeriodMs = 50;

/** How a server is drained. */
interface DrainOptions {
  /** Ends the waits. */
  readonly hurry?: AbortSignal;
  /**
   * True when other processes listen on the same port. They take all new connections from now on, so the port stays
   * ready.
   * @defaultValue false
   */
  readonly leavesPort?: boolean;
}

/** Takes a server out of service before it closes, so that no request fails. */
export interface Draining {
  /** False while the server may get new callers. */
  readonly hasBegun: boolean;
  /**
   * Tells load balancers and clients to go elsewhere, and still answers all requests:
   *
   * 1. `/health/ready` is 503, and no new WebSocket is opened. The sockets end one after the other within `seconds`. Each
   *    answer ends its connection, except those of proxies: a proxy would only connect to this server again.
   * 2. After `seconds`, the server listens no more. Proxies send new connections elsewhere, and each answer ends its
   *    connection. That lasts until the last connection has ended, at most four seconds. With 0 `seconds` it is left out,
   *    unless the server leaves its port to others.
   */
  begin(seconds: number, options?: DrainOptions): Promise<void>;
}

/** The parts of a server that draining ends. */
interface DrainedParts {
  /** Ends the WebSockets and the streams of events, spread over so many milliseconds. With 0, all at once. */
  endSockets(overMs: number): void;
  /** Stops accepting connections through the copies of the listening socket (accept-many.ts). */
  stopCopies(): void;
  /** Number of connections. */
  connections(): number;
  /** Tells whether a request came from a trusted proxy. */
  isFromProxy(request: IncomingMessage): boolean;
}

export function createDraining(
  server: FastifyInstance,
  { endSockets, stopCopies, connections, isFromProxy }: DrainedParts,
): Draining {
  let hasBegun = false;
  let listens = true;

  /**
   * A connection that waits to be accepted is reset. So the server looks for new ones right before, in a turn of the
   * event loop that had little else to do.
   */
  async function endListening(): Promise<void> {
    for (let turns = 0; turns < mostTurns; turns += 1) {
      const begun = performance.now();
      await turn();
      if (performance.now() - begun < quietTurnMs) break;
    }
    listens = false;
    // The close of an HTTP server would end idle connections too.
    TcpServer.prototype.close.call(server.server);
    stopCopies();
  }
  async function linger(hurry: AbortSignal | undefined): Promise<void> {
    const end = performance.now() + lingerMs;
    while (connections() > 0 && performance.now() < end && !hurry?.aborted)
      await delay(countPeriodMs, undefined, { signal: hurry }).catch(() => undefined);
  }
  // A client that reuses its connection would meet a closed server.
  server.addHook('onSend', async (request, reply) => {
    if (!listens || (hasBegun && !isFromProxy(request.raw))) reply.header('connection', 'close');
  });
  server.addHook('preClose', async () => {
    hasBegun = true;
    listens = false;
    endSockets(0);
    // The copies of the listening socket (accept-many.ts) close after the server, so its own close ends no wait.
    setTimeout(() => server.server.closeAllConnections(), longestCloseMs).unref();
  });
  return {
    get hasBegun() {
      return hasBegun;
    },
    async begin(seconds, { hurry, leavesPort = false } = {}) {
      const milliseconds = seconds * 1_000;
      if (leavesPort) await endListening();
      else hasBegun = true;
      endSockets(milliseconds);
      await delay(milliseconds, undefined, { signal: hurry }).catch(() => undefined);
      if (!leavesPort) await endListening();
      if (milliseconds === 0 && !leavesPort) return;
      endSockets(0);
      await linger(hurry);
    },
  };
}
