import { StartupError } from '../errors.js';

/** What a person is told when a port cannot be had. */
export function cannotListen(host: string, port: number, error: unknown): StartupError {
  const { code } = error as NodeJS.ErrnoException;
  const reason = code === 'EADDRINUSE' ? 'is in use by another program: stop it, or set PORT to a free one' : `cannot be listened on (${code}): check HOST and PORT`;
  return new StartupError(`Port ${port} of ${host} ${reason}.`);
}
