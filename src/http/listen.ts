import { createServer } from 'node:net';
import { StartupError } from '../errors.js';

/** Tells the operator why the server cannot listen on a port. */
export function cannotListen(host: string, port: number, error: unknown): StartupError {
  const { code } = error as NodeJS.ErrnoException;
  const reason =
    code === 'EADDRINUSE'
      ? 'is in use by another program: stop it, or set PORT to a free one'
      : `cannot be listened on (${code}): check HOST and PORT`;
  return new StartupError(`Port ${port} of ${host} ${reason}.`);
}

/** @throws StartupError when the port cannot be listened on */
export async function requireFreePort(host: string, port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(host, port, error)));
    server.listen(port, host, resolve);
  });
  await new Promise((resolve) => server.close(resolve));
}
