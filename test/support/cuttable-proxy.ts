import { connect, createServer, type AddressInfo, type NetConnectOpts, type Socket } from 'node:net';

/** A proxy to a server. A test can cut and mend it without an effect on other users of the server. */
interface CuttableProxy {
  readonly host: string;
  readonly port: number;
  /** Ends every connection and accepts none. */
  cut(): void;
  mend(): void;
  /** Leads new connections to another server. Present ones stay. */
  moveTo(url: string): void;
  /** Stops all traffic on present connections without closing them. New connections work. */
  silence(): void;
  close(): Promise<void>;
}

/** @param answerDelayMs delay of every answer, in milliseconds, as of a server that is far away */
async function startProxy(first: NetConnectOpts, answerDelayMs = 0): Promise<CuttableProxy> {
  const sockets = new Set<Socket>();
  let open = true;
  let target = first;
  const server = createServer((client) => {
    if (!open) {
      client.destroy();
      return;
    }
    const upstream = connect(target);
    endTogether(client, upstream, sockets);
    client.pipe(upstream);
    if (answerDelayMs > 0) upstream.on('data', (answer) => setTimeout(() => client.write(answer), answerDelayMs));
    else upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const drop = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    cut() {
      open = false;
      drop();
    },
    mend() {
      open = true;
    },
    moveTo(url) {
      target = targetOf(parseUrl(url).host);
    },
    silence() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    async close() {
      drop();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * Ends each of two sockets of a proxy with the other one.
 * @param sockets has them as long as they are open
 * @param mayEnd whether the end of one is told to the other
 */
export function endTogether(client: Socket, upstream: Socket, sockets: Set<Socket>, mayEnd = () => true): void {
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    sockets.add(from);
    from.on('error', () => undefined);
    from.on('close', () => {
      sockets.delete(from);
      if (mayEnd()) to.destroy();
    });
  }
}

/** Splits a `redis://` or `mongodb://` URL at its host, which `URL` cannot do for the path of a socket. */
export function parseUrl(url: string) {
  const [, scheme = '', login = '', host = '', rest = ''] = /^(\w+:\/\/)([^@/]*@)?([^/]+)(.*)$/.exec(url)!;
  return { scheme, login, host, rest };
}

/** The address of a host and port, or of the encoded path of a socket. */
export function targetOf(host: string): NetConnectOpts {
  const name = decodeURIComponent(host);
  return name.includes('/') ? { path: name } : { host: name.split(':')[0]!, port: Number(name.split(':')[1]) };
}

/** Starts a proxy to the server of a `redis://` or `mongodb://` URL. @returns the proxy and the URL through it */
export async function proxyTo(url: string, answerDelayMs = 0): Promise<CuttableProxy & { readonly url: string }> {
  const { scheme, login, host, rest } = parseUrl(url);
  const proxy = await startProxy(targetOf(host), answerDelayMs);
  return { ...proxy, url: `${scheme}${login}${proxy.host}:${proxy.port}${rest}` };
}
