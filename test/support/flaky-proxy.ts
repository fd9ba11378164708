import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { atEnd } from './at-end.js';
import { endTogether } from './cuttable-proxy.js';

/** The fate of a connection: after some bytes of answers it is cut, or falls silent without an end. */
type Fate = 'cut' | 'reset' | 'silence';

/** A network between a client and a server that breaks connections. */
interface FlakyProxy {
  readonly url: string;
  /** Connections that it has broken so far. */
  readonly broken: number;
  /** Connections that it has carried so far. */
  readonly connections: number;
  /** Breaks no more connections from now on. */
  calm(): void;
}

/** A generator of pseudo-random numbers from 0 to 1 (mulberry32), so that a run can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Starts a proxy to a server.
 * @param options.fates the possible fates; `bytes` the least and the most that a connection brings before its fate, from
 *   the server to the client; `upgrades` says what becomes of
 *   requests for a WebSocket, of which some proxies answer with 403 and others forget
 */
export async function startFlakyProxy(
  target: string,
  options: {
    readonly seed?: number;
    readonly fates?: readonly Fate[];
    readonly bytes?: readonly [number, number];
    readonly upgrades?: 'pass' | 'refuse' | 'forget';
  } = {},
): Promise<FlakyProxy> {
  const { seed = 1, fates = [], bytes: [least, most] = [300, 4000], upgrades = 'pass' } = options;
  const random = seeded(seed);
  const sockets = new Set<Socket>();
  let [broken, connections, isCalm] = [0, 0, fates.length === 0];

  const server = createServer((client) => {
    connections += 1;
    const upstream = connect(Number(new URL(target).port), '127.0.0.1');
    const fate = fates[Math.floor(random() * fates.length)];
    let left = least + random() * (most - least);
    let isSilent = false;
    endTogether(client, upstream, sockets, () => !isSilent);
    client.on('data', (data: Buffer) => {
      if (upgrades !== 'pass' && /^upgrade:/im.test(data.toString('latin1'))) {
        if (upgrades === 'refuse')
          client.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
        return;
      }
      if (!isSilent) upstream.write(data);
    });
    upstream.on('data', (data: Buffer) => {
      if (isSilent) return;
      if (isCalm || data.length < left) {
        left -= data.length;
        return void client.write(data);
      }
      broken += 1;
      // The last bytes arrive: a message may be cut in the middle.
      const part = data.subarray(0, Math.floor(left));
      if (fate === 'silence') {
        isSilent = true;
        client.write(part);
        return upstream.destroy();
      }
      client.write(part, () => (fate === 'reset' ? client.resetAndDestroy() : client.end()));
      upstream.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(async () => {
    sockets.forEach((socket) => socket.destroy());
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get broken() {
      return broken;
    },
    get connections() {
      return connections;
    },
    calm: () => void (isCalm = true),
  };
}
