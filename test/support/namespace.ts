import { randomBytes } from 'node:crypto';

import { inject } from 'vitest';

/** A corner of the shared engines that no other test file sees. */
interface Namespace {
  /** The shared MongoDB, with a database name of this namespace's own. */
  mongoUri: string;
  databaseName: string;
  redisUrl: string;
  /** To be put before every Redis key, channel and queue name. */
  redisPrefix: string;
}

/** A fresh namespace: call it once a test file, or once a test that must not see its neighbours' data. */
export function namespace(): Namespace {
  const name = `test-${randomBytes(8).toString('hex')}`;
  const mongoUri = new URL(inject('mongoUri'));
  mongoUri.pathname = `/${name}`;
  return { mongoUri: mongoUri.href, databaseName: name, redisUrl: inject('redisUrl'), redisPrefix: name };
}
