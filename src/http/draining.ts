import type { FastifyInstance } from 'fastify';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Time for which a closing server waits for its connections, milliseconds. Node.js counts a connection that has sent
 * nothing as one with a request, and would wait for it.
 */
const longestCloseMs = 10_000;

/** Takes a server out of service before it closes, so that no request fails. */
export interface Draining {
  /** False while the server may get new callers. */
  readonly hasBegun: boolean;
  /**
   * Tells load balancers and clients to go elsewhere, and still answers all requests. From now on `/health/ready` is
   * 503, each answer ends its connection, and the WebSockets end one after the other. It takes `seconds` at most.
   * @param hurry ends the wait
   */
  begin(seconds: number, hurry?: AbortSignal): Promise<void>;
}

/** @param endSockets ends the WebSockets and the streams of events, spread over so many milliseconds */
export function createDraining(server: FastifyInstance, endSockets: (overMs: number) => void): Draining {
  let hasBegun = false;
  const start = (overMs: number): void => {
    hasBegun = true;
    endSockets(overMs);
  };
  // A client that reuses its connection would meet a closed server.
  server.addHook('onSend', async (_request, reply) => {
    if (hasBegun) reply.header('connection', 'close');
  });
  server.addHook('preClose', async () => {
    start(0);
    // The copies of the listening socket (accept-many.ts) close after the server, so its own close ends no wait.
    setTimeout(() => server.server.closeAllConnections(), longestCloseMs).unref();
  });
  return {
    get hasBegun() {
      return hasBegun;
    },
    async begin(seconds, hurry) {
      const milliseconds = seconds * 1_000;
      start(milliseconds);
      await delay(milliseconds, undefined, { signal: hurry }).catch(() => undefined);
    },
  };
}
