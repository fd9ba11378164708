import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import type { LookupFunction } from 'node:net';
import WebSocket from 'ws';
import { createClient, type ClientOptions, type GraphqlClient } from '../../src/client/graphql-client.js';
import { atEnd } from './at-end.js';
import { nginxName } from './nginx.js';

/** An address of the shipped configuration, and the authority that signed its certificate. */
interface NginxDoor {
  readonly port: number;
  readonly caFile: string;
}

/** Leads every name to this machine. */
const lookup: LookupFunction = (_name, options, done) =>
  options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);

/** Options of a TLS connection to nginx, by its name. */
export const tlsOptions = ({ caFile }: NginxDoor) => ({ ca: readFileSync(caFile), servername: nginxName, lookup });

export const urlOf = ({ port }: Pick<NginxDoor, 'port'>): string => `https://${nginxName}:${port}`;

/** The answer to a request over TLS. */
interface SecureAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A caller that has so many connections to nginx, which it uses again. */
export function secureCaller(door: NginxDoor, connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, ...tlsOptions(door) });
  atEnd(() => agent.destroy());
  return (
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<SecureAnswer> =>
    new Promise((resolve, reject) => {
      const { method = 'GET', headers, body } = options;
      const asking = request(`${urlOf(door)}${path}`, { agent, method, headers }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            body: Buffer.concat(parts).toString(),
          }),
        );
      });
      asking.on('error', reject);
      asking.end(body);
    });
}

/** The constructor of WebSockets to nginx. */
function secureWebSocket(door: NginxDoor): typeof WebSocket {
  const options = tlsOptions(door);
  return class extends WebSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol, options);
    }
  } as typeof WebSocket;
}

/** A client of the API behind nginx, for subscriptions over a WebSocket of its own. Closed at the end. */
export function secureClient(door: NginxDoor, token: string, options: Partial<ClientOptions> = {}): GraphqlClient {
  const client = createClient({
    url: urlOf(door),
    token,
    webSocket: secureWebSocket(door),
    // The global one does not know the authority.
    fetch: () => Promise.reject(new Error('only WebSockets are tried here')),
    ...options,
  });
  atEnd(() => client.close());
  return client;
}
