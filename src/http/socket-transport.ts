import { parseMessage, type Server } from 'graphql-ws';
import type { Logger } from 'pino';
import type { WebSocket } from 'ws';
import { closeCodes } from './close-codes.js';
import { logError } from '../process/logger.js';
import { limitIncoming, type Unread } from './socket-limits.js';
import type { OpenedSocket } from './upgrades.js';
import type { WrittenEvents } from './written-events.js';

/** Data that graphql-ws keeps for a connection. */
export interface SocketExtra extends OpenedSocket, Record<PropertyKey, unknown> {
  /** True from the moment when the client has shown a valid credential. */
  isProven: boolean;
  /** Sends a message within the limits of unread bytes. */
  sendMessage(text: string): Promise<void>;
}

/**
 * Time between two pings of a client, milliseconds. A client that has not answered before the next ping is
 * disconnected.
 */
const keepAliveMs = 12_000;
/** Longest reason of a close, in bytes. https://www.rfc-editor.org/rfc/rfc6455#section-5.5 */
const longestReasonBytes = 123;

/**
 * Carries one socket's messages to graphql-ws and back, as its own `use/@fastify/websocket` does. That one writes
 * errors with their payloads to the console. Here the log gets only the type and place of an error, and the client only
 * a code.
 * https://github.com/enisdenjo/graphql-ws/blob/master/src/use/%40fastify/websocket.ts
 */
export function carrySocket(
  server: Server<SocketExtra>,
  opened: OpenedSocket,
  { unread, written, logger }: { readonly unread: Unread; readonly written: WrittenEvents; readonly logger: Logger },
): void {
  const extra: SocketExtra = {
    ...opened,
    isProven: false,
    sendMessage: (text) => send(extra, unread, text),
  };
  const { socket, stream } = extra;
  limitIncoming(socket, stream, () => extra.isProven);
  const stopPinging = keepAlive(socket);
  const close = (code: number, reason: string): void =>
    socket.close(code, Buffer.byteLength(reason) <= longestReasonBytes ? reason : '');
  // The message is too large, or is not a WebSocket frame. The library ws closes the socket with the right code itself.
  socket.on('error', (error: NodeJS.ErrnoException) => logError(logger, error, 'WebSocket', { level: 'info' }));

  const closed = server.opened(
    {
      protocol: socket.protocol,
      send: (data) => extra.sendMessage(written.insert(data)),
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
    extra,
  );
  socket.once('close', (code, reason) => {
    stopPinging();
    closed(code, reason.toString()).catch((error: unknown) => logError(logger, error, 'end of a WebSocket'));
  });
}

/**
 * Sends a message. Resolves also when the socket has closed meanwhile: a client that is gone needs no answer. A client
 * that leaves too much unread is disconnected.
 */
function send({ socket, isProven }: SocketExtra, unread: Unread, data: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (socket.readyState !== socket.OPEN) return resolve();
    const sent = unread.begin(socket.bufferedAmount, Buffer.byteLength(data), isProven);
    if (!sent) {
      socket.terminate();
      return resolve();
    }
    socket.send(data, (error) => {
      sent();
      if (error && socket.readyState === socket.OPEN) reject(error);
      else resolve();
    });
  });
}

/** Tells whether only a server may send this message. graphql-ws throws when a client sends one. */
function isOfServers(text: string): boolean {
  return ['connection_ack', 'next', 'error'].includes(parseMessage(text).type);
}

/** Pings the client regularly. @returns a function that stops the pings */
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
