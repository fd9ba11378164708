import { readFileSync } from 'node:fs';
import { StartupError } from '../errors.js';

/**
 * PEM files of a TLS connection to a database. Without them, Node.js uses its own certificate authorities, and sends no
 * client certificate.
 */
export interface TlsFiles {
  /** Certificate authorities, one of which must have signed the server's certificate. */
  readonly caFile?: string;
  /** Certificate by which this process identifies itself. */
  readonly certificateFile?: string;
  /** Private key of that certificate. */
  readonly keyFile?: string;
}

/**
 * The contents of the files, as Node's TLS takes them.
 * https://nodejs.org/api/tls.html#tlscreatesecurecontextoptions
 */
interface TlsMaterial {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/**
 * Reads the files.
 * @param engine first part of the variables' names: `REDIS_TLS_CA_FILE` and so on
 * @throws StartupError naming the variable of a file that cannot be read
 */
export function readTlsFiles({ caFile, certificateFile, keyFile }: TlsFiles, engine: 'MONGO' | 'REDIS'): TlsMaterial {
  return {
    ...(caFile && { ca: read(caFile, `${engine}_TLS_CA_FILE`) }),
    ...(certificateFile && { cert: read(certificateFile, `${engine}_TLS_CERTIFICATE_FILE`) }),
    ...(keyFile && { key: read(keyFile, `${engine}_TLS_KEY_FILE`) }),
  };
}

function read(path: string, variable: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StartupError(`${variable} cannot be read (${code}): name a PEM file that this process may read.`);
  }
}
