import type { Credential } from './credential.js';
import { GraphqlRequestError, type ResponseError, type Result } from './errors.js';
import type { Operation } from './post.js';
import { Break, type PlacedSink, type Transport } from './transport.js';

/** Longest time for a new socket to be accepted, milliseconds. */
const connectMs = 10_000;
/** Time for which a socket without subscriptions stays open, milliseconds. */
const idleMs = 1_000;
/** The longest time that setTimeout takes. */
const longestTimeoutMs = 2 ** 31 - 1;

/** The parts of a WebSocket that are used here. Browsers, Node.js from version 22 and the package ws have them. */
interface Socket {
  readonly readyState: number;
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
  send(text: string): void;
  close(code?: number): void;
}

/** One message of graphql-transport-ws. */
interface Message {
  readonly type: string;
  readonly id?: string;
  readonly payload?: unknown;
}

/** The options of a socket transport. */
interface SocketOptions {
  readonly url: string;
  /** The constructor. */
  readonly webSocket: unknown;
  readonly credential: Credential;
  /** Time between two pings, milliseconds. A socket on which nothing arrived in between is given up. */
  readonly keepAliveMs: number;
  /** Called once for each socket: true when the API has accepted it, false when it failed before. */
  readonly onOutcome: (accepted: boolean) => void;
}

/** One WebSocket, and the subscriptions on it. When it breaks, each of them gets the error. */
interface Connection {
  subscribe(operation: Operation, sink: PlacedSink): () => void;
  close(): void;
}

/** Carries all subscriptions over one WebSocket. After a break, the next subscription opens another one. */
export function createSocketTransport(options: SocketOptions): Transport {
  let connection: Connection | undefined;
  return {
    subscribe(operation, sink, refused) {
      connection ??= connect(options, refused, () => (connection = undefined));
      return connection.subscribe(operation, sink);
    },
    close: () => connection?.close(),
  };
}

/**
 * Opens a WebSocket and speaks graphql-transport-ws on it. A new token is sent in a ping before the present one ends.
 * https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverWebSocket.md
 * @param refused a token that the API has refused
 * @param onEnd called when the socket takes no more subscriptions
 */
function connect(options: SocketOptions, refused: string | undefined, onEnd: () => void): Connection {
  const { credential } = options;
  const running = new Map<string, { readonly operation: Operation; readonly sink: PlacedSink }>();
  const timers: Partial<Record<'connect' | 'alive' | 'renew' | 'idle', NodeJS.Timeout>> = {};
  let socket: Socket | undefined;
  let token: string | undefined;
  let accepted = false;
  let ended = false;
  let heard = true;
  let count = 0;

  const send = (message: Message): void => {
    if (socket?.readyState === 1) socket.send(JSON.stringify(message));
  };
  function end(error?: Error): void {
    if (ended) return;
    ended = true;
    Object.values(timers).forEach(clearTimeout);
    onEnd();
    if (!accepted && error) options.onOutcome(false);
    if (socket?.readyState === 0 && !error) closeOnceOpen(socket);
    else socket?.close(1000);
    const sinks = [...running.values()];
    running.clear();
    if (error) sinks.forEach(({ sink }) => sink.error(error));
  }
  const lose = (message: string, code?: number): void =>
    end(new Break(message, code, accepted, code === 4401 || code === 4403 ? token : undefined));

  /** Asks for the next token when it is time. When that fails, the API ends the socket, and follow.ts resumes. */
  async function renew(): Promise<void> {
    const delay = token && (await credential.renewInMs(token));
    if (!delay || ended) return;
    timers.renew = setTimeout(
      () =>
        credential.token().then((fresh) => {
          if (fresh !== token) send({ type: 'ping', payload: { authorization: `Bearer ${fresh}` } });
          token = fresh;
          return renew();
        }, renew),
      Math.min(delay, longestTimeoutMs),
    );
  }
  function keepAlive(): void {
    if (!heard) return lose('The WebSocket is silent.');
    heard = false;
    send({ type: 'ping' });
    timers.alive = setTimeout(keepAlive, options.keepAliveMs);
  }
  const start = (id: string): void => send({ type: 'subscribe', id, payload: running.get(id)!.operation });
  function closeIdle(): void {
    clearTimeout(timers.idle);
    if (running.size === 0) timers.idle = setTimeout(end, idleMs);
  }

  function receive({ type, id = '', payload }: Message): void {
    heard = true;
    if (type === 'ping') {
      const { id: name = '', after } = (payload ?? {}) as { readonly id?: string; readonly after?: string };
      if (after !== undefined) running.get(name)?.sink.begun(after);
      return send({ type: 'pong', payload });
    }
    if (type === 'connection_ack') {
      accepted = true;
      clearTimeout(timers.connect);
      options.onOutcome(true);
      for (const name of running.keys()) start(name);
      keepAlive();
      return void renew();
    }
    const sink = running.get(id)?.sink;
    if (type === 'next') return sink?.next(payload as Result);
    if (type !== 'error' && type !== 'complete') return;
    running.delete(id);
    closeIdle();
    if (type === 'complete') sink?.complete();
    else sink?.error(new GraphqlRequestError(payload as ResponseError[]));
  }

  timers.connect = setTimeout(() => lose('The WebSocket was not accepted in time.'), connectMs);
  credential
    .token(refused)
    .then((given) => {
      if (ended) return;
      token = given;
      socket = new (options.webSocket as new (url: string, protocol: string) => Socket)(
        options.url.replace(/^http/, 'ws'),
        'graphql-transport-ws',
      );
      socket.onopen = () =>
        send({ type: 'connection_init', payload: token ? { authorization: `Bearer ${token}` } : undefined });
      socket.onmessage = ({ data }: { data: string }) => ended || receive(JSON.parse(data) as Message);
      socket.onclose = ({ code, reason }: { code: number; reason: string }) =>
        lose(`The WebSocket was closed with ${code}: ${reason}`, code);
      // The event `close` follows, with the code.
      socket.onerror = () => undefined;
    })
    .catch(end);

  return {
    subscribe(operation, sink) {
      const id = String((count += 1));
      running.set(id, { operation, sink });
      clearTimeout(timers.idle);
      if (accepted) start(id);
      return () => {
        if (!running.delete(id)) return;
        if (accepted) send({ type: 'complete', id });
        closeIdle();
      };
    },
    close: () => end(),
  };
}

/** Closes a socket as soon as it is open. A browser logs an error about one that is closed before. */
function closeOnceOpen(socket: Socket): void {
  const late = setTimeout(() => socket.close(1000), connectMs);
  socket.onclose = () => clearTimeout(late);
  socket.onopen = () => socket.close(1000);
}
