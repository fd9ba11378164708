/**
 * Checks the health of a container. Exits 0 when its process can do its work, else prints one line and exits 1.
 * `healthcheck.mjs api` asks the API whether it is ready. `healthcheck.mjs worker` asks MongoDB and Redis, because a
 * worker depends on nothing else. It never prints the address or the password of a database.
 */
/* global fetch, AbortSignal */
import { Redis } from 'ioredis';
import mongoose from 'mongoose';
import { readFileSync } from 'node:fs';

const timeoutMs = 4_000;

async function checkApi({ PORT = '4000' }) {
  const response = await fetch(`http://127.0.0.1:${PORT}/health/ready`, { signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok) throw new Error(`the API answers ${response.status}`);
}

/** Reads the files of a TLS connection, as src/storage/tls-files.ts does. */
function tlsOf(environment, engine) {
  const files = { ca: `${engine}_TLS_CA_FILE`, cert: `${engine}_TLS_CERTIFICATE_FILE`, key: `${engine}_TLS_KEY_FILE` };
  return Object.fromEntries(
    Object.entries(files).flatMap(([name, variable]) =>
      environment[variable] ? [[name, readFileSync(environment[variable])]] : [],
    ),
  );
}

async function checkWorker(environment) {
  const { MONGO_URI, REDIS_URL } = environment;
  const mongo = new mongoose.mongo.MongoClient(MONGO_URI, {
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
    ...tlsOf(environment, 'MONGO'),
  });
  await mongo
    .db()
    .command({ ping: 1 })
    .catch(() => {
      throw new Error('MongoDB does not answer');
    });
  const tls = REDIS_URL.startsWith('rediss://') && { tls: tlsOf(environment, 'REDIS') };
  const redis = new Redis(REDIS_URL, {
    connectTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    retryStrategy: null,
    ...tls,
  });
  redis.on('error', () => undefined);
  await redis.ping().catch(() => {
    throw new Error('Redis does not answer');
  });
}

const checks = { api: checkApi, worker: checkWorker };
const check = checks[process.argv[2]];
try {
  if (!check) throw new Error('usage: healthcheck.mjs api|worker');
  await check(process.env);
  process.exit(0);
} catch (error) {
  console.error(`unhealthy: ${error.message}`);
  process.exit(1);
}
