import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import type { Redis } from 'ioredis';

/** Every command that a Redis is sent, by anybody. */
export interface RedisMonitor {
  /** All commands so far, up to this call. */
  commands(): Promise<string>;
  close(): void;
}

/** Over a socket of its own: ioredis fails when the first commands come in one packet with the answer to MONITOR. */
export async function monitorRedis(redis: Redis): Promise<RedisMonitor> {
  const { host, port, username, password } = redis.options;
  const socket = connect(port!, host).setEncoding('utf8');
  let text = '';
  let arrived = (): void => undefined;
  socket.on('data', (data: string) => {
    text += data;
    arrived();
  });
  async function until(part: string): Promise<void> {
    while (!text.includes(part)) await new Promise<void>((resolve) => (arrived = resolve));
  }
  if (password) {
    socket.write(`AUTH ${username ?? 'default'} ${password}\r\n`);
    await until('+OK');
    text = '';
  }
  socket.write('MONITOR\r\n');
  await until('+OK');
  return {
    async commands() {
      const mark = randomUUID();
      await redis.echo(mark);
      await until(mark);
      return text;
    },
    close: () => void socket.destroy(),
  };
}
