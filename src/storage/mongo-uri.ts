/** What a MongoDB connection string says of its connections. */
interface MongoUri {
  /** Names, addresses and paths of Unix sockets, without ports. */
  readonly hosts: readonly string[];
  readonly encrypted: boolean;
  /** False when the string asks for TLS that accepts any certificate. */
  readonly verified: boolean;
}

/** https://www.mongodb.com/docs/manual/reference/connection-string-options/: options are named in any case; +srv means TLS. */
export function readMongoUri(uri: string): MongoUri {
  const [, srv, hosts = '', query = ''] = /^mongodb(\+srv)?:\/\/(?:[^@/]*@)?([^/?]*)[^?]*\??(.*)$/.exec(uri) ?? [];
  const options = new Map([...new URLSearchParams(query)].map(([name, value]) => [name.toLowerCase(), value]));
  return {
    hosts: hosts.split(',').map((address) => address.replace(/%2f/gi, '/').replace(/:\d*$/, '')),
    encrypted: (options.get('tls') ?? options.get('ssl') ?? String(srv !== undefined)) === 'true',
    verified: !['tlsinsecure', 'tlsallowinvalidcertificates', 'tlsallowinvalidhostnames'].some(
      (name) => options.get(name) === 'true',
    ),
  };
}
