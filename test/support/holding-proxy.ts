import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { endTogether, parseUrl, targetOf } from './cuttable-proxy.js';

/** A proxy to MongoDB that can keep chosen commands back, as a server does whose disk stands still for one collection. */
export interface HoldingProxy {
  readonly url: string;
  /**
   * Keeps a command on a collection back from now on, and what follows it on the same connection.
   * @returns a promise that resolves when the first one has come
   */
  hold(command: 'insert' | 'update', collection: string): Promise<void>;
  /** Passes on what was kept back, and keeps nothing back from now on. */
  release(): void;
  close(): Promise<void>;
}

/** A connection of a client, with the messages that are kept back. */
interface Held {
  readonly upstream: Socket;
  readonly messages: Buffer[];
}

/** The first element of a command, in the body of a message. https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/ */
const bodyAt = 25;
function firstElement(command: string, collection: string): Buffer {
  const value = Buffer.from(`${collection}\0`);
  const length = Buffer.alloc(4);
  length.writeInt32LE(value.length);
  return Buffer.concat([Buffer.from([2]), Buffer.from(`${command}\0`), length, value]);
}

/** Starts a proxy to the server of a `mongodb://` URL. It keeps nothing back until it is told to. */
export async function holdingProxy(mongoUri: string): Promise<HoldingProxy> {
  const { scheme, login, host, rest } = parseUrl(mongoUri);
  const sockets = new Set<Socket>();
  const held = new Map<Socket, Held>();
  let wanted: { readonly element: Buffer; readonly onFirst: () => void } | undefined;

  function pass(client: Socket, upstream: Socket, message: Buffer): void {
    const isWanted =
      wanted && message.subarray(bodyAt, bodyAt + wanted.element.length).equals(wanted.element) && !held.has(client);
    if (isWanted) {
      held.set(client, { upstream, messages: [] });
      wanted!.onFirst();
    }
    const kept = held.get(client);
    if (kept) kept.messages.push(message);
    else upstream.write(message);
  }

  const server = createServer((client) => {
    const upstream = connect(targetOf(host));
    endTogether(client, upstream, sockets);
    client.on('close', () => held.delete(client));
    upstream.pipe(client);
    let bytes = Buffer.alloc(0);
    client.on('data', (data: Buffer) => {
      bytes = Buffer.concat([bytes, data]);
      while (bytes.length >= 4 && bytes.length >= bytes.readInt32LE(0)) {
        const length = bytes.readInt32LE(0);
        pass(client, upstream, bytes.subarray(0, length));
        bytes = bytes.subarray(length);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `${scheme}${login}127.0.0.1:${(server.address() as AddressInfo).port}${rest}`,
    hold: (command, collection) =>
      new Promise((resolve) => (wanted = { element: firstElement(command, collection), onFirst: resolve })),
    release() {
      wanted = undefined;
      for (const { upstream, messages } of held.values()) for (const message of messages) upstream.write(message);
      held.clear();
    },
    async close() {
      sockets.forEach((socket) => socket.destroy());
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
