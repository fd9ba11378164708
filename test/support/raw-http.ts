import { connect } from 'node:net';

/** An answer exactly as it was received. */
interface RawAnswer {
  readonly status: number;
  /** Headers by their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends raw bytes and reads until the server closes the connection. Send `Connection: close` so that it does. */
export async function sendRaw(url: string, bytes: string): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(bytes);
  let answer = '';
  for await (const chunk of socket) answer += (chunk as Buffer).toString();
  const [head, ...body] = answer.split('\r\n\r\n');
  const [first, ...lines] = head!.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => line.split(/:\s*/, 2) as [string, string]).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return { status: Number(first!.split(' ')[1]), headers, body: body.join('\r\n\r\n') };
}

/** Writes a request as a client without any library does. */
export function rawRequest(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): string {
  const lines = Object.entries({
    Host: '127.0.0.1',
    Connection: 'close',
    ...(body !== '' && { 'Content-Length': String(Buffer.byteLength(body)) }),
    ...headers,
  });
  return `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
}
