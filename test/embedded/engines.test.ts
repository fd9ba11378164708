import { Redis } from 'ioredis';
import { mongo } from 'mongoose';
import { expect, test } from 'vitest';

import { namespace } from '../support/namespace.js';

test('the shared engines serve a database and a Redis of one\'s own', async () => {
  const own = namespace();
  const client = await mongo.MongoClient.connect(own.mongoUri);
  await client.db().collection('things').insertOne({ a: 1 }, { writeConcern: { w: 1, journal: true } });
  expect(client.db().databaseName).toBe(own.databaseName);
  expect(await client.db().collection('things').countDocuments()).toBe(1);
  await client.close();
  const redis = new Redis(own.redisUrl);
  await redis.set(`${own.redisPrefix}:key`, 'value');
  expect(await redis.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
  await redis.quit();
});
