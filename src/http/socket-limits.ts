import type { Duplex } from 'node:stream';
import type { ServerOptions, WebSocket } from 'ws';
import { closeCodes } from './close-codes.js';

/**
 * Largest WebSocket message, bytes. A subscription keeps its document and variables in memory until it ends, and
 * thousands may run at once.
 */
const largestMessageBytes = 64 * 1024;
/** The most that a client may send before its credential, bytes. A token has at most 8 KiB. */
const mostBytesUnproven = 32 * 1024;
/** Length of the periods in which a socket's bytes and frames are counted, milliseconds. */
const periodMs = 10_000;
/** The most that a client with a credential may send per period, bytes. */
const mostBytesPerPeriod = 4 * 1024 * 1024;
/**
 * The most frames (messages, pings and pongs) per period. A client that connects again begins a thousand subscriptions
 * at once.
 */
const mostFramesPerPeriod = 5_000;
/** The most frames before the credential. A client sends one, and perhaps some pings. */
const mostFramesUnproven = 50;
/** The most that waits for a client to read it, bytes: of one socket, and of all sockets of this process. */
const mostUnread = { perSocket: 4 * 1024 * 1024, unproven: 64 * 1024, perNode: 96 * 1024 * 1024 } as const;

/**
 * Options of the library ws. Fragments and reads that wait for the rest of a message cost more memory than their bytes,
 * so both are few: a message of 64 KiB arrives in 45 packets. A client that does not answer a close is disconnected
 * soon.
 */
export const socketOptions = {
  maxPayload: largestMessageBytes,
  maxFragments: 64,
  maxBufferedChunks: 256,
  perMessageDeflate: false,
  closeTimeout: 2_000,
} satisfies ServerOptions & { readonly closeTimeout: number };

/**
 * Disconnects a client that sends more than any client of this API needs. A WebSocket costs processor time per frame,
 * and a fragment keeps the whole read alive that it came with, so the bytes that arrive are counted and not the
 * messages.
 * @param stream the connection that carries the socket
 * @param isProven tells whether the client has shown a valid credential
 */
export function limitIncoming(socket: WebSocket, stream: Duplex, isProven: () => boolean): void {
  let periodEnd = 0;
  let bytes = 0;
  let frames = 0;
  let isOver = false;
  function count(more: { readonly bytes: number; readonly frames: number }): void {
    const now = performance.now();
    if (isProven() && now >= periodEnd) {
      periodEnd = now + periodMs;
      bytes = 0;
      frames = 0;
    }
    bytes += more.bytes;
    frames += more.frames;
    const most = isProven()
      ? { bytes: mostBytesPerPeriod, frames: mostFramesPerPeriod }
      : { bytes: mostBytesUnproven, frames: mostFramesUnproven };
    if (isOver || (bytes <= most.bytes && frames <= most.frames)) return;
    isOver = true;
    // Nothing more is read. The library ws may refuse what was read, and says why.
    stream.pause();
    setImmediate(() => disconnect(socket, stream));
  }
  stream.on('data', (chunk: Buffer) => count({ bytes: chunk.length, frames: 0 }));
  for (const event of ['message', 'ping', 'pong']) socket.on(event, () => count({ bytes: 0, frames: 1 }));
}

/** Says why, and does not wait for an answer: what the client still sends must not be read. */
function disconnect(socket: WebSocket, stream: Duplex): void {
  // The library has closed the socket, and drops what still comes until its own time limit.
  if (socket.readyState !== socket.OPEN) return void stream.resume();
  socket.close(closeCodes.tryAgainLater, 'Too much was sent: send less, and connect again');
  socket.terminate();
}

/** Counts the bytes that wait for clients to read them. */
export interface Unread {
  /**
   * Counts a message that is about to be sent.
   * @param waiting bytes that wait for this client already
   * @returns a function to call when it was sent; undefined when too much waits already, and the client must go
   */
  begin(waiting: number, bytes: number, isProven: boolean): (() => void) | undefined;
}

/** @param limits.perNode when it is reached, the sockets that still have something unread go first */
export function createUnread(limits: typeof mostUnread = mostUnread): Unread {
  let ofNode = 0;
  return {
    begin(waiting, bytes, isProven) {
      if (waiting > (isProven ? limits.perSocket : limits.unproven)) return undefined;
      if (waiting > limits.unproven && ofNode > limits.perNode) return undefined;
      ofNode += bytes;
      return () => (ofNode -= bytes);
    },
  };
}
