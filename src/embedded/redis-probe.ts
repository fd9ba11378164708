import { createConnection } from 'node:net';

/** The result of one check of a port. `loading`: Redis is there and still reads its file. */
type RedisAnswer = 'ready' | 'loading' | 'none';

/**
 * Logs in to the Redis on a port of this machine and sends `PING`.
 * A server with another password belongs to another program. The answer is then `none`, as for an unused port.
 * Inline commands: https://redis.io/docs/latest/develop/reference/protocol-spec/#inline-commands
 */
export async function probeRedis(port: number, password: string): Promise<RedisAnswer> {
  const reply = await converse(port, `AUTH ${password}\r\nPING\r\n`, (text) => text.split('\r\n').length > 2);
  if (!reply.startsWith('+OK\r\n')) return 'none';
  return reply.includes('-LOADING') ? 'loading' : reply.includes('+PONG') ? 'ready' : 'none';
}

/**
 * Ends the Redis on `port` that accepts `password`. Redis writes out its append-only file and closes the connection
 * last. Resolves when the connection is closed; at once when no Redis listens there.
 */
export async function shutDownRedis(port: number, password: string): Promise<void> {
  await converse(port, `AUTH ${password}\r\nSHUTDOWN\r\n`, (text) => text.includes('\r\n-') || text.startsWith('-'));
}

/** Sends `request` and collects the answer until `complete`, the other side closes, or five seconds have passed. */
function converse(port: number, request: string, complete: (reply: string) => boolean): Promise<string> {
  return new Promise((resolve) => {
    let reply = '';
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.setTimeout(5_000, () => socket.destroy());
    socket.on('connect', () => socket.write(request));
    socket.setEncoding('latin1').on('data', (text: string) => {
      reply += text;
      if (complete(reply)) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(reply));
  });
}
