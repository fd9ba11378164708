import { createServer } from 'node:net';
import { cannotListen } from '../http/cannot-listen.js';

/** @throws StartupError when the port cannot be listened on */
export async function requireFreePort(host: string, port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(host, port, error)));
    server.listen(port, host, resolve);
  });
  await new Promise((resolve) => server.close(resolve));
}
