import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** The target of the attackers, and the credentials that they have. */
export interface Target {
  readonly port: number;
  /** Token of a reader of the attackers' organization. */
  readonly token: string;
}

/** One attack: it opens connections from an address, and gives them back so that they can be ended. */
type Attack = (target: Target, address: string) => Promise<Socket[]>;

async function open({ port }: Target, localAddress: string, bytes: string | Buffer = ''): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true });
  socket.on('error', () => undefined).on('data', () => undefined);
  await Promise.race([once(socket, 'connect').catch(() => undefined), once(socket, 'close').catch(() => undefined)]);
  if (bytes.length > 0 && socket.writable) socket.write(bytes);
  return socket;
}
const many = (count: number, target: Target, address: string, bytes: string | Buffer): Promise<Socket[]> =>
  Promise.all(Array.from({ length: count }, () => open(target, address, bytes)));

function http(method: string, path: string, headers: Readonly<Record<string, string>> = {}, body = ''): string {
  const lines = Object.entries({ Host: '127.0.0.1', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}
const upgrade = (path = '/graphql', headers: Readonly<Record<string, string>> = {}, method = 'GET'): string =>
  http(method, path, {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Protocol': 'graphql-transport-ws',
    ...headers,
  });
const post = (body: string, headers: Readonly<Record<string, string>> = {}): string =>
  http(
    'POST',
    '/graphql',
    { 'Content-Type': 'application/json', 'Content-Length': String(body.length), ...headers },
    body,
  );
const operation = (query: string): string => JSON.stringify({ query });

function frame(payload: string, { opcode = 1, fin = true } = {}): Buffer {
  const body = Buffer.from(payload);
  const head = [
    (fin ? 0x80 : 0) | opcode,
    ...(body.length < 126 ? [0x80 | body.length] : [0xfe, body.length >> 8, body.length & 255]),
  ];
  return Buffer.concat([Buffer.from(head), Buffer.alloc(4), body]);
}
const message = (content: object): Buffer => frame(JSON.stringify(content));
const initialised = (token: string): Buffer =>
  message({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
const stranger = upgrade();

/** A message that begins, goes on in fragments and never ends. */
function fragments(payload: string, count: number): Buffer {
  const next = Array.from({ length: count }, () => frame(payload, { opcode: 0, fin: false }));
  return Buffer.concat([Buffer.from(stranger), frame('{', { fin: false }), ...next]);
}

/** Headers of handshakes that a page of another site, or a client of another version, sends. */
const foreignHeaders: readonly Readonly<Record<string, string>>[] = [
  { Origin: 'https://evil.example' },
  { Upgrade: 'h2c' },
  { 'Sec-WebSocket-Version': '1' },
  { 'Sec-WebSocket-Key': '' },
];

/** The attacks by their names. `valid` ones have a token of a reader. */
export const attacks: Readonly<Record<string, Attack>> = {
  'fragments without an end': (target, address) => many(8, target, address, fragments(' ', 16_000)),
  'empty fragments without an end': (target, address) => many(4, target, address, fragments('', 100_000)),
  pings: (target, address) =>
    many(4, target, address, Buffer.concat([Buffer.from(stranger), Buffer.alloc(600_000, frame('', { opcode: 9 }))])),
  'silent sockets': (target, address) => many(20, target, address, stranger),
  'messages before connection_init': (target, address) =>
    many(
      5,
      target,
      address,
      Buffer.concat([
        Buffer.from(stranger),
        message({ type: 'ping', payload: { echo: 'x'.repeat(20_000) } }),
        message({ type: 'subscribe', id: '1', payload: { query: '{ a }' } }),
      ]),
    ),
  'refused upgrades': (target, address) =>
    Promise.all(
      ['/%zz', '/graphql/%ff', '/health', '/metrics', '/nothing'].flatMap((path) => [
        open(target, address, upgrade(path)),
        open(target, address, upgrade(path, { 'Content-Length': '2' }, 'POST')),
      ]),
    ),
  'upgrades of foreign pages and other versions': (target, address) =>
    Promise.all(foreignHeaders.map((headers) => open(target, address, upgrade('/graphql', headers)))),
  'connections that send nothing': (target, address) => many(40, target, address, ''),
  'headers that never end': (target, address) =>
    many(20, target, address, `GET /graphql HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(15_000)}`),
  'bodies that never end': (target, address) =>
    many(
      20,
      target,
      address,
      http('POST', '/graphql', { 'Content-Type': 'application/json', 'Content-Length': '4000000' }, '{"query":"') +
        'x'.repeat(60_000),
    ),
  'bodies of addresses that do not exist': (target, address) =>
    many(10, target, address, http('POST', '/nothing', { 'Content-Length': '4000000' }, '{')),
  'requests in a pipeline': (target, address) =>
    many(4, target, address, post(operation('{ viewer { role } }')).repeat(500)),
  'a thousand headers': (target, address) =>
    many(
      10,
      target,
      address,
      http('GET', '/graphql', Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`X-${index}`, 'a']))),
    ),
  'odd methods and expectations': (target, address) =>
    Promise.all(
      ['CONNECT a:1', 'TRACE /', 'PROPFIND /graphql']
        .map((line) => open(target, address, `${line} HTTP/1.1\r\nHost: a\r\n\r\n`))
        .concat(
          open(target, address, post('{}', { Expect: 'miracle' })),
          open(target, address, post('{}', { Expect: '100-continue' })),
        ),
    ),
  'bytes by chance': (target, address) =>
    Promise.all(Array.from({ length: 10 }, () => open(target, address, randomBytes(randomInt(1, 20_000))))),
  'frames by chance': (target, address) =>
    Promise.all(
      Array.from({ length: 10 }, () =>
        open(target, address, Buffer.concat([Buffer.from(stranger), randomBytes(randomInt(1, 20_000))])),
      ),
    ),
  'queries without a token': (target, address) =>
    many(20, target, address, post(operation('{ patients { totalCount } }'))),
  'guessed keys': (target, address) =>
    Promise.all(
      Array.from({ length: 20 }, () =>
        open(
          target,
          address,
          post(operation('{ viewer { role } }'), {
            Authorization: `Bearer rgk_${randomBytes(12).toString('hex')}_${randomBytes(32).toString('base64url')}`,
          }),
        ),
      ),
    ),
  'guessed passwords': (target, address) =>
    many(
      2,
      target,
      address,
      post(
        JSON.stringify({
          query: 'mutation ($i: LoginInput!) { login(input: $i) { accessToken } }',
          variables: {
            i: { organization: 'attackers', username: `u${randomInt(1_000)}`, password: 'not the one at all' },
          },
        }),
      ),
    ),
  'health and metrics': (target, address) =>
    Promise.all(
      ['/health', '/health/ready', '/metrics'].flatMap((path) => [
        open(target, address, http('GET', path)),
        open(target, address, http('GET', path)),
      ]),
    ),
  'sockets with a token': (target, address) =>
    many(10, target, address, Buffer.concat([Buffer.from(stranger), initialised(target.token)])),
  'subscriptions with a token': (target, address) =>
    many(
      2,
      target,
      address,
      Buffer.concat([
        Buffer.from(stranger),
        initialised(target.token),
        ...Array.from({ length: 300 }, (_, index) =>
          message({
            type: 'subscribe',
            id: String(index),
            payload: { query: 'subscription { predictionCreated { id } }' },
          }),
        ),
      ]),
    ),
  'echoes with a token that nobody reads': async (target, address) => {
    const sockets = await many(2, target, address, Buffer.concat([Buffer.from(stranger), initialised(target.token)]));
    sockets.forEach((socket) => socket.pause());
    await sleep(100);
    for (const socket of sockets)
      for (let number = 0; number < 60; number++)
        socket.write(message({ type: 'ping', payload: { echo: 'x'.repeat(60_000) } }));
    return sockets;
  },
  'large bodies with a token': (target, address) =>
    many(
      2,
      target,
      address,
      post(operation(`{ viewer { role } } # ${'x'.repeat(3_900_000)}`), { Authorization: `Bearer ${target.token}` }),
    ),
  'connections with a token': (target, address) =>
    many(20, target, address, post(operation('{ viewer { role } }'), { Authorization: `Bearer ${target.token}` })),
};
