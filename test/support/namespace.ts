import { randomBytes, randomInt } from 'node:crypto';

import { inject } from 'vitest';

/** A part of the shared engines that no other test file sees. */
interface Namespace {
  /** The shared MongoDB, with a database name of this namespace's own. */
  mongoUri: string;
  databaseName: string;
  redisUrl: string;
  /** Prefix of every Redis key, channel and queue name. */
  redisPrefix: string;
}

/** Makes a new namespace. Call it once per test file, or once per test that must not see the data of other tests. */
export function namespace(): Namespace {
  const name = `test-${randomBytes(8).toString('hex')}`;
  const engines = inject('mongoUris');
  const mongoUri = new URL(engines[randomInt(engines.length)]!);
  mongoUri.pathname = `/${name}`;
  return { mongoUri: mongoUri.href, databaseName: name, redisUrl: inject('redisUrl'), redisPrefix: name };
}
