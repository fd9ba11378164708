import { ConnectionString } from 'mongodb-connection-string-url';

/** The connections that a MongoDB connection string asks for. */
interface MongoUri {
  /** Names, addresses and paths of Unix sockets, without ports. */
  readonly hosts: readonly string[];
  /** Database of the path; undefined when it names none. */
  readonly database: string | undefined;
  readonly encrypted: boolean;
  /** False when the string asks for TLS that accepts any certificate. */
  readonly verified: boolean;
}

const insecureOptions = ['tlsinsecure', 'tlsallowinvalidcertificates', 'tlsallowinvalidhostnames'];

/**
 * Reads a connection string with the parser of MongoDB's driver, so that both see the same hosts and options.
 * https://www.mongodb.com/docs/manual/reference/connection-string-options/: options are named in any case; +srv means TLS.
 * @returns undefined when it is no valid connection string
 */
export function readMongoUri(uri: string): MongoUri | undefined {
  try {
    const parsed = new ConnectionString(uri);
    const options = [...parsed.searchParams].map(([name, value]) => [name.toLowerCase(), value] as const);
    const tls = options.filter(([name]) => name === 'tls' || name === 'ssl');
    return {
      hosts: parsed.hosts.map(hostOf),
      database: decodeURIComponent(parsed.pathname.slice(1)) || undefined,
      // Contradictions are the driver's to refuse. Until then they count as no TLS.
      encrypted: tls.length === 0 ? parsed.isSRV : tls.every(([, value]) => value === 'true'),
      verified: !options.some(([name, value]) => insecureOptions.includes(name) && value === 'true'),
    };
  } catch {
    // The parser's message may repeat the user name.
    return undefined;
  }
}

/** As the driver reads one address: a Unix socket ends with .sock, everything else is the host of a URL. */
function hostOf(address: string): string {
  return decodeURIComponent(address.endsWith('.sock') ? address : new URL(`mongodb://${address}`).hostname);
}
