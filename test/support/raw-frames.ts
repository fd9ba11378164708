import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Request lines and headers that ask for a WebSocket. */
export function upgradeRequest(path = '/graphql', headers: Readonly<Record<string, string>> = {}, method = 'GET') {
  const lines = Object.entries({
    Host: '127.0.0.1',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Protocol': 'graphql-transport-ws',
    ...headers,
  });
  return `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/** A connection of a client that keeps no rule: it sends bytes as they are, and never answers or ends on its own. */
export interface RawConnection {
  readonly socket: Socket;
  /** The text that was received until now. */
  received(): string;
  /** Resolves when the server has ended or reset the connection. */
  readonly ended: Promise<void>;
}

/** Connects, and sends the bytes. Resolves once it is connected. */
export async function connectRaw(
  url: string,
  bytes: string | Buffer = '',
  options: { readonly localAddress?: string } = {},
): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  // With allowHalfOpen the client does not answer the end of the server with its own.
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true, ...options });
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1'))).on('error', () => undefined);
  const ended = new Promise<void>((resolve) => socket.once('end', resolve).once('close', () => resolve()));
  await Promise.race([once(socket, 'connect'), ended]);
  if (bytes.length > 0) socket.write(bytes);
  return { socket, received: () => text, ended };
}

/** One masked frame as a client sends it. The mask is zero, so that the payload is sent as it is. */
export function frame(payload: Buffer | string, { opcode = 1, fin = true } = {}): Buffer {
  const body = Buffer.from(payload);
  const first = (fin ? 0x80 : 0) | opcode;
  const head =
    body.length < 126
      ? Buffer.from([first, 0x80 | body.length])
      : Buffer.from([first, 0x80 | 126, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([head, Buffer.alloc(4), body]);
}
