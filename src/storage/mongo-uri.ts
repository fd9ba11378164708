import { ConnectionString } from 'mongodb-connection-string-url';

/** The connections that a MongoDB connection string describes. */
interface MongoUri {
  /** Names, addresses and paths of Unix sockets, without ports. */
  readonly hosts: readonly string[];
  /** Database that the path names; undefined when it names none. */
  readonly database: string | undefined;
  readonly encrypted: boolean;
  /** False when the string asks for TLS that accepts any certificate. */
  readonly verified: boolean;
  /** True when the string gives a password, or a mechanism that proves the client without one. */
  readonly authenticated: boolean;
}

/**
 * Mechanisms whose proof may be outside the string: a client certificate, a Kerberos ticket, a role of AWS, a token.
 * https://www.mongodb.com/docs/manual/reference/connection-string-options/#mongodb-urioption-urioption.authMechanism
 */
const passwordless = new Set(['MONGODB-X509', 'GSSAPI', 'MONGODB-AWS', 'MONGODB-OIDC']);

const insecureOptions = ['tlsinsecure', 'tlsallowinvalidcertificates', 'tlsallowinvalidhostnames'];

/**
 * Reads a connection string with the parser of MongoDB's driver, so that both see the same hosts and options. Names of
 * options may be in any case, and +srv means TLS.
 * https://www.mongodb.com/docs/manual/reference/connection-string-options/
 * @returns undefined when it is not a valid connection string
 */
export function readMongoUri(uri: string): MongoUri | undefined {
  try {
    const parsed = new ConnectionString(uri);
    const options = [...parsed.searchParams].map(([name, value]) => [name.toLowerCase(), value] as const);
    const tls = options.filter(([name]) => name === 'tls' || name === 'ssl');
    return {
      hosts: parsed.hosts.map(hostOf),
      database: decodeURIComponent(parsed.pathname.slice(1)) || undefined,
      // The driver refuses contradictions. Here they count as no TLS.
      encrypted: tls.length === 0 ? parsed.isSRV : tls.every(([, value]) => value === 'true'),
      verified: !options.some(([name, value]) => insecureOptions.includes(name) && value === 'true'),
      authenticated:
        (parsed.username !== '' && parsed.password !== '') ||
        options.some(([name, value]) => name === 'authmechanism' && passwordless.has(value)),
    };
  } catch {
    // The parser's message is dropped, because it may repeat the user name.
    return undefined;
  }
}

/** Reads one address as the driver does: a Unix socket ends with .sock; any other address is the host of a URL. */
function hostOf(address: string): string {
  return decodeURIComponent(address.endsWith('.sock') ? address : new URL(`mongodb://${address}`).hostname);
}
