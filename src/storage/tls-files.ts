import { readFileSync } from 'node:fs';
import { StartupError } from '../errors.js';
import { readMongoUri } from './mongo-uri.js';

/** PEM files of a TLS connection to a database. Absent: the certificate authorities that Node.js knows; no client certificate. */
export interface TlsFiles {
  /** Certificate authorities that the server's certificate must descend from. */
  readonly caFile?: string;
  /** Certificate and key with which this process shows who it is. */
  readonly certificateFile?: string;
  readonly keyFile?: string;
}

/** As Node's TLS takes them. https://nodejs.org/api/tls.html#tlscreatesecurecontextoptions */
interface TlsMaterial {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/**
 * @param engine names the variables: `REDIS_TLS_CA_FILE` and so on
 * @throws StartupError naming the variable whose file cannot be read
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
    throw new StartupError(
      `${variable} cannot be read (${(error as NodeJS.ErrnoException).code}): name a PEM file that this process may read.`,
    );
  }
}

/** A file for a connection that uses no TLS is a mistake that an operator must hear of. */
export function tlsIssues(given: Readonly<Record<string, string | undefined>>): string[] {
  const fileOf = (engine: 'MONGO' | 'REDIS'): string | undefined =>
    ['CA', 'CERTIFICATE', 'KEY'].map((kind) => `${engine}_TLS_${kind}_FILE`).find((name) => given[name] !== undefined);
  const mongo = !readMongoUri(given.MONGO_URI ?? '').encrypted && fileOf('MONGO');
  const redis = !given.REDIS_URL?.startsWith('rediss://') && fileOf('REDIS');
  return [
    ...(mongo ? [`${mongo} is set, but MONGO_URI does not ask for TLS: add tls=true to it`] : []),
    ...(redis ? [`${redis} is set, but REDIS_URL does not ask for TLS: let it start with rediss://`] : []),
  ];
}
