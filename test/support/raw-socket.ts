import { onTestFinished } from 'vitest';
import WebSocket from 'ws';

/** One message of graphql-transport-ws. */
export interface SocketMessage {
  readonly type: string;
  readonly id?: string;
  readonly payload?: unknown;
}

/** A WebSocket of a client without any library. */
export interface RawSocket {
  send(message: SocketMessage | string): void;
  /** Resolves with the next message that is not a ping. Rejects when the socket closes first. */
  next(): Promise<SocketMessage>;
  close(): void;
  /** Code and reason that the server gave when it closed the socket. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

/** Opens a socket to `/graphql`, closed when the test ends. Resolves once it is open. */
export async function openSocket(url: string, protocols: string[] = ['graphql-transport-ws']): Promise<RawSocket> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/graphql`, protocols);
  onTestFinished(() => socket.terminate());
  const messages: SocketMessage[] = [];
  const waiting: { resolve(message: SocketMessage): void; reject(error: Error): void }[] = [];
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => {
      waiting.splice(0).forEach(({ reject }) => reject(new Error(`closed with ${code}`)));
      resolve({ code, reason: reason.toString() });
    });
  });
  socket.on('error', () => undefined);
  socket.on('message', (data) => {
    const message = JSON.parse((data as Buffer).toString()) as SocketMessage;
    if (message.type === 'ping') return;
    const waiter = waiting.shift();
    if (waiter) waiter.resolve(message);
    else messages.push(message);
  });
  await new Promise((resolve) => {
    socket.once('open', resolve);
    socket.once('close', resolve);
  });
  return {
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    next: () => {
      const message = messages.shift();
      if (message) return Promise.resolve(message);
      return socket.readyState === WebSocket.OPEN
        ? new Promise((resolve, reject) => waiting.push({ resolve, reject }))
        : Promise.reject(new Error('closed'));
    },
    close: () => socket.close(1000),
    closed,
  };
}

/** Opens a socket and has it acknowledged. */
export async function connectSocket(url: string, token?: string): Promise<RawSocket> {
  const socket = await openSocket(url);
  socket.send({ type: 'connection_init', payload: token ? { authorization: `Bearer ${token}` } : {} });
  const answer = await socket.next();
  if (answer.type !== 'connection_ack') throw new Error(`not acknowledged: ${answer.type}`);
  return socket;
}
