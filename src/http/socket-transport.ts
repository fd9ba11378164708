import { parseMessage, type Server } from 'graphql-ws';
import type { FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { WebSocket } from 'ws';
import { closeCodes } from './close-codes.js';
import { logError } from '../process/logger.js';

/** What graphql-ws keeps of a connection. */
export interface SocketExtra extends Record<PropertyKey, unknown> {
  readonly socket: WebSocket;
  /** The request that was upgraded. */
  readonly request: FastifyRequest;
}

/** How often a client is pinged; one that has not answered by the next time is gone. Milliseconds. */
const keepAliveMs = 12_000;
/** What the reason of a close may hold. https://www.rfc-editor.org/rfc/rfc6455#section-5.5 */
const longestReasonBytes = 123;

/**
 * Carries one socket's messages to graphql-ws and back, as its own `use/@fastify/websocket` does, which writes whatever
 * goes wrong to the console, payload and all. Here the log gets type and place of an error and nothing else, and the client
 * a code and no text. https://github.com/enisdenjo/graphql-ws/blob/master/src/use/%40fastify/websocket.ts
 */
export function carrySocket(
  server: Server<SocketExtra>,
  socket: WebSocket,
  request: FastifyRequest,
  logger: Logger,
): void {
  const stopPinging = keepAlive(socket);
  const close = (code: number, reason: string): void =>
    socket.close(code, Buffer.byteLength(reason) <= longestReasonBytes ? reason : '');
  // A message that is too large, or no WebSocket frame at all: ws itself closes with the code for it.
  socket.on('error', (error: NodeJS.ErrnoException) => logError(logger, error, 'WebSocket', { level: 'info' }));

  const closed = server.opened(
    {
      protocol: socket.protocol,
      send: (data) => send(socket, data),
      close,
      onMessage(handle) {
        socket.on('message', (data: Buffer) => {
          const text = data.toString();
          handle(text).catch((error: unknown) => {
            if (isOfServers(text)) return close(closeCodes.badRequest, 'Invalid message received');
            logError(logger, error, 'message on a WebSocket');
            close(closeCodes.internalError, 'Internal server error');
          });
        });
      },
    },
    { socket, request },
  );
  socket.once('close', (code, reason) => {
    stopPinging();
    closed(code, reason.toString()).catch((error: unknown) => logError(logger, error, 'end of a WebSocket'));
  });
}

/** Resolves also for a socket that has closed meanwhile: who is gone needs no answer. */
function send(socket: WebSocket, data: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (socket.readyState !== socket.OPEN) return resolve();
    socket.send(data, (error) => (error && socket.readyState === socket.OPEN ? reject(error) : resolve()));
  });
}

/** Of the protocol, but for the server to send: graphql-ws throws over one from a client. */
function isOfServers(text: string): boolean {
  return ['connection_ack', 'next', 'error'].includes(parseMessage(text).type);
}

/** @returns stops it */
function keepAlive(socket: WebSocket): () => void {
  let hasAnswered = true;
  socket.on('pong', () => (hasAnswered = true));
  const timer = setInterval(() => {
    if (!hasAnswered) return socket.terminate();
    hasAnswered = false;
    socket.ping();
  }, keepAliveMs);
  return () => clearInterval(timer);
}
