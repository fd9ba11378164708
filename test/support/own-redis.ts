import { Redis } from 'ioredis';
import { spawn } from 'node:child_process';
import { startRedis } from '../../src/embedded/embedded-redis.js';
import { atEnd } from './at-end.js';
import { temporaryDirectory } from './temporary-directory.js';

/** A Redis of a test's own, which it may reconfigure, and a connection of its operator. */
export async function ownRedis(): Promise<{ readonly url: string; readonly operator: Redis }> {
  const engine = await startRedis(await temporaryDirectory());
  atEnd(() => engine.stop());
  const operator = new Redis(engine.url);
  operator.on('error', () => undefined);
  atEnd(() => operator.disconnect());
  return { url: engine.url, operator };
}

/** Starts `redis-server` with these arguments, for modes that the embedded one never has. @returns its URL */
export async function redisServer(port: number, ...args: string[]): Promise<string> {
  const directory = await temporaryDirectory();
  const child = spawn('redis-server', [...args, '--port', String(port), '--dir', directory], { stdio: 'pipe' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  atEnd(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  await new Promise<void>((resolve) => {
    let output = '';
    child.stdout.on('data', (text) => {
      output += String(text);
      if (/Ready to accept connections|Sentinel ID is|Running mode=sentinel/.test(output)) resolve();
    });
  });
  return `redis://127.0.0.1:${port}`;
}
