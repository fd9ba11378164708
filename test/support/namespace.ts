import { randomBytes, randomInt } from 'node:crypto';

import { mongo } from 'mongoose';
import { inject } from 'vitest';

import { atEnd } from './at-end.js';

/** A part of the shared engines that no other test file sees. */
interface Namespace {
  /** The shared MongoDB, with a database name of this namespace's own. */
  mongoUri: string;
  databaseName: string;
  redisUrl: string;
  /** Prefix of every Redis key, channel and queue name. */
  redisPrefix: string;
}

/**
 * Makes a new namespace. Call it once per test file, or once per test that must not see the data of other tests. Its
 * database is dropped at the end: MongoDB keeps a file open for each index, and the databases of a whole run would have
 * more files than a process may open.
 */
export function namespace(): Namespace {
  const name = `test-${randomBytes(8).toString('hex')}`;
  const engines = inject('mongoUris');
  const mongoUri = new URL(engines[randomInt(engines.length)]!);
  mongoUri.pathname = `/${name}`;
  atEnd(() => drop(mongoUri.href));
  return { mongoUri: mongoUri.href, databaseName: name, redisUrl: inject('redisUrl'), redisPrefix: name };
}

/** Drops a database. A test may have ended MongoDB, which is no fault of its own. */
async function drop(uri: string): Promise<void> {
  const client = new mongo.MongoClient(uri, { serverSelectionTimeoutMS: 5_000 });
  await client
    .db()
    .dropDatabase()
    .catch(() => undefined);
  await client.close();
}
