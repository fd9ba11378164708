import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Server as TcpServer, Socket } from 'node:net';
import type { Server } from 'node:http';
import type { Logger } from 'pino';
import { logError } from '../process/logger.js';
import { withinTime } from '../process/within-time.js';

/** Longest time until all copies are there, milliseconds. */
const copyTimeoutMs = 10_000;

/** The copies of a listening socket. */
export interface CopiedSocket {
  /** Stops accepting through the copies. */
  stop(): void;
  /** Resolves after `stop`, when the last connection that a copy accepted has ended. */
  ended(): Promise<void>;
}

/**
 * The helper gets the listening socket, and sends it back as often as it is asked to. It listens meanwhile, as each
 * holder of the socket does, and so hands over the connections that it gets. It reads nothing from them: what it had
 * read would be lost. It ends when it is told to, or with its parent.
 */
const helper = `
process.once('message', (copies, server) => {
  server.pauseOnConnect = true;
  server.on('connection', (socket) => process.send('connection', socket));
  for (let copy = 0; copy < copies; copy += 1) process.send('copy', server);
  process.once('message', () => server.close(() => process.disconnect()));
});
process.once('disconnect', () => process.exit());
`;

/**
 * Lets a server accept many connections per turn of the event loop. libuv accepts one per listening socket and turn
 * (https://github.com/libuv/libuv/pull/3696). So a crowd of new connections makes each other one wait for as many turns
 * as there are connections before it. The copies take connections from the same queue as the socket itself.
 *
 * Node.js cannot copy a descriptor, but it gets a new one for each socket that a child process sends
 * (https://nodejs.org/api/child_process.html#subprocesssendmessage-sendhandle-options-callback). A helper process does
 * that, and ends.
 *
 * Without the copies the server is only slower, so a failure is logged and not thrown.
 * @param server is listening
 * @param copies number of copies, 0 for none
 */
export async function acceptMany(server: Server, copies: number, logger: Logger): Promise<CopiedSocket> {
  const taken: TcpServer[] = [];
  const ends: Promise<void>[] = [];
  const copied: CopiedSocket = {
    stop() {
      for (const copy of taken.splice(0)) ends.push(new Promise((resolve) => copy.close(() => resolve())));
    },
    ended: async () => void (await Promise.all(ends)),
  };
  if (copies === 0) return copied;
  const child = spawn(process.execPath, ['--eval', helper], { env: {}, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const take = (connection: Socket): void => {
    // As Node.js does with the connections that an HTTP server accepts itself.
    connection.allowHalfOpen = true;
    connection.setNoDelay(true);
    server.emit('connection', connection);
  };
  child.on('message', (_kind, handle) => {
    if (handle instanceof Socket) take(handle);
    else if (handle instanceof TcpServer) taken.push(handle.on('connection', take));
    if (taken.length === copies && child.connected) child.send('enough', () => undefined);
  });
  child.on('error', () => undefined);
  try {
    child.send(copies, server, () => undefined);
    await ended(child);
    if (taken.length < copies) throw new Error(`the helper ended after ${taken.length} of ${copies} copies`);
  } catch (error) {
    // A helper that is only slow may have connections of clients, which it hands over before it ends.
    if (child.connected) child.send('enough', () => undefined);
    setTimeout(() => child.kill('SIGKILL'), copyTimeoutMs).unref();
    logError(logger, error, 'the listening socket could not be copied: a crowd of connections waits longer', {
      level: 'warn',
    });
  }
  return copied;
}

/** Waits for the end of the helper. @throws when it does not start or does not end */
async function ended(child: ChildProcess): Promise<void> {
  await withinTime(once(child, 'exit'), copyTimeoutMs, () => {
    throw new Error(`the helper took longer than ${copyTimeoutMs / 1000} s`);
  });
}
