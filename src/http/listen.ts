import { createServer, type AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { StartupError } from '../errors.js';

/**
 * New connections that may wait until the server accepts them. Those above the limit are dropped by the kernel, and their
 * clients try again only after a second. The kernel has a limit of its own (net.core.somaxconn, 4,096).
 */
const backlog = 2_048;

/** @returns the URL of the server @throws StartupError when the port cannot be listened on */
export async function listen(server: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await server.listen({ host, port, backlog });
  } catch (error) {
    throw cannotListen(host, port, error);
  }
}

/** Tells the operator why the server cannot listen on a port. */
function cannotListen(host: string, port: number, error: unknown): StartupError {
  const { code } = error as NodeJS.ErrnoException;
  const reason =
    code === 'EADDRINUSE'
      ? 'is in use by another program: stop it, or set PORT to a free one'
      : `cannot be listened on (${code}): check HOST and PORT`;
  return new StartupError(`Port ${port} of ${host} ${reason}.`);
}

/** @returns the port, and a free one for 0 @throws StartupError when the port cannot be listened on */
export async function requireFreePort(host: string, port: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(host, port, error)));
    server.listen({ port, host, exclusive: true }, resolve);
  });
  const { port: free } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return free;
}
