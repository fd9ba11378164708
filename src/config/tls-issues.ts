import { readMongoUri } from '../storage/mongo-uri.js';

/**
 * Finds TLS files of a connection that does not use TLS. They are refused, because the operator believes that the
 * connection is protected.
 * @returns one line per engine that has such a file
 */
export function tlsIssues(given: Readonly<Record<string, string | undefined>>): string[] {
  const fileOf = (engine: 'MONGO' | 'REDIS'): string | undefined =>
    ['CA', 'CERTIFICATE', 'KEY'].map((kind) => `${engine}_TLS_${kind}_FILE`).find((name) => given[name] !== undefined);
  const mongo = !asksForTls(given.MONGO_URI) && fileOf('MONGO');
  const redis = !given.REDIS_URL?.startsWith('rediss://') && fileOf('REDIS');
  return [
    ...(mongo ? [`${mongo} is set, but MONGO_URI does not ask for TLS: add tls=true to it`] : []),
    ...(redis ? [`${redis} is set, but REDIS_URL does not ask for TLS: start it with rediss://`] : []),
  ];
}

/** Tells whether the URI asks for TLS. True for a URI that cannot be read: that has an issue of its own. */
function asksForTls(mongoUri: string | undefined): boolean {
  return mongoUri !== undefined && readMongoUri(mongoUri)?.encrypted !== false;
}
