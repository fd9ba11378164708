/** Covers src/storage/tls-files.ts, src/storage/redis.ts, src/storage/database.ts. */
// Threat: an attacker between RiskGraph and its databases reads the connection or answers in place of a database.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectTcp, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import type { Redis } from 'ioredis';
import { afterAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { Role } from '../../models/index.js';
import { ended, patient, submit } from '../support/scenario.js';
import { testEncryptionKeys, testSecretKey, startSystem } from '../support/system.js';
import { startUserAdministration } from '../../src/commands/user-administration.js';
import { loadConfig } from '../../src/config/config.js';
import { endWithThisProcess } from '../../src/embedded/guard.js';
import { connectDatabase } from '../../src/storage/database.js';
import { StartupError } from '../../src/errors.js';
import { createLogger } from '../../src/process/logger.js';
import { connectRedis } from '../../src/storage/redis.js';
import type { TlsFiles } from '../../src/storage/tls-files.js';
import { atEnd } from '../support/at-end.js';
import { createAuthority, type Certificate } from '../support/certificates.js';
import { goodPassword } from '../support/identity.js';
import { namespace } from '../support/namespace.js';
import { freePort } from '../support/free-port.js';

const directory = await mkdtemp(join(tmpdir(), 'riskgraph-test-'));
afterAll(() => rm(directory, { recursive: true, force: true }));
const ours = await createAuthority(directory, 'ours');
const strangers = await createAuthority(directory, 'strangers');
const local = await ours.issue('local', 'IP:127.0.0.1,DNS:localhost');
const elsewhere = await ours.issue('elsewhere', 'DNS:redis.example.org');
const client = await ours.issue('client', 'DNS:client');
const logger = createLogger('silent', 'test');

/** Starts a redis-server that accepts only TLS. */
async function startTlsRedis(
  { certificateFile, keyFile }: Certificate,
  options: { readonly clientCertificates?: boolean } = {},
): Promise<string> {
  const port = await freePort();
  const redis = spawn('redis-server', [
    ...[
      '--bind',
      '127.0.0.1',
      '--port',
      '0',
      '--tls-port',
      String(port),
      '--save',
      '',
      '--maxmemory-policy',
      'noeviction',
      '--requirepass',
      'secret',
    ],
    ...[
      '--tls-cert-file',
      certificateFile,
      '--tls-key-file',
      keyFile,
      '--tls-ca-cert-file',
      ours.caFile,
      '--tls-auth-clients',
      options.clientCertificates ? 'yes' : 'no',
    ],
  ]);
  // The server ends with this process too, however the process ends.
  const unguard = endWithThisProcess(redis.pid!);
  const exited = once(redis, 'exit').then(unguard);
  atEnd(async () => {
    redis.kill();
    await exited;
  });
  let said = '';
  for await (const chunk of redis.stdout) {
    said += String(chunk);
    if (said.includes('Ready to accept connections')) return `rediss://:secret@127.0.0.1:${port}`;
  }
  throw new Error(`redis-server did not start: ${said}`);
}

/** Connects. @returns `ready`, or the reason of the refusal */
async function outcome(url: string, tls: TlsFiles): Promise<string> {
  const redis: Redis = connectRedis(url, 'failing-fast', logger, tls);
  onTestFinished(() => redis.disconnect());
  return new Promise((resolve) => {
    redis.once('ready', () => resolve('ready'));
    redis.once('error', (error: Error) => resolve(error.message));
  });
}

describe('Redis over TLS', async () => {
  const url = await startTlsRedis(local);

  // Shows: 164.312(e)(2)(i)
  test('is trusted only with a certificate of the authority in REDIS_TLS_CA_FILE', async () => {
    expect(await outcome(url, { caFile: ours.caFile })).toBe('ready');
    expect(await outcome(url, { caFile: strangers.caFile })).toMatch(/certificate/);
    expect(await outcome(url, {})).toMatch(/certificate/);
  });

  // Shows: 164.312(e)(2)(i)
  test('with the certificate of another host is refused', async () => {
    expect(await outcome(await startTlsRedis(elsewhere), { caFile: ours.caFile })).toMatch(
      /does not match certificate's altnames/,
    );
  });

  test('may require a client certificate', async () => {
    const strict = await startTlsRedis(local, { clientCertificates: true });
    expect(await outcome(strict, { caFile: ours.caFile, ...client })).toBe('ready');
    expect(await outcome(strict, { caFile: ours.caFile })).not.toBe('ready');
  });

  // Shows: 164.312(e)(2)(ii)
  test('carries jobs, events and limits from end to end', async () => {
    const system = await startSystem({ environment: { REDIS_URL: url, REDIS_TLS_CA_FILE: ours.caFile } });
    const api = await system.client('CLINICIAN');
    const created = await patient(api);
    const job = await submit(api, { patientId: created.id });
    expect((await ended(api, job.id)).state).toBe('COMPLETED');
    // A probe that takes longer than a second counts as no answer.
    await expect
      .poll(async () => (await fetch(`${system.url}/health`)).json())
      .toMatchObject({ dependencies: { redis: 'up' } });
  });

  // Shows: 164.312(e)(2)(ii)
  test('carries the event by which the command line shuts a user out of all processes', async () => {
    const { mongoUri, redisPrefix } = namespace();
    const config = loadConfig({
      MONGO_URI: mongoUri,
      REDIS_URL: url,
      REDIS_TLS_CA_FILE: ours.caFile,
      REDIS_PREFIX: redisPrefix,
      SECRET_KEY: testSecretKey,
    });
    const {
      directory: users,
      scope,
      actor,
      close,
    } = await startUserAdministration(config, {
      org: 'alpha',
      createOrg: true,
    });
    onTestFinished(close);
    const user = await users.create(scope, actor, { username: 'ada', role: Role.CLINICIAN, password: goodPassword });
    await users.update(scope, actor, user, { disabled: true });
    const redis = connectRedis(url, 'waiting', logger, { caFile: ours.caFile });
    onTestFinished(() => redis.disconnect());
    expect(Number(await redis.get(`${redisPrefix}:revocation-epoch`))).toBeGreaterThan(0);
  });
});

describe('MongoDB over TLS', () => {
  /** The engine of the tests, behind a server that speaks TLS. */
  async function startTlsMongo(clientCertificates = false): Promise<string> {
    const engine = new URL(inject('mongoUris')[0]!);
    const host = decodeURIComponent(engine.hostname);
    const server = createTlsServer(
      {
        cert: readFileSync(local.certificateFile),
        key: readFileSync(local.keyFile),
        ca: readFileSync(ours.caFile),
        requestCert: clientCertificates,
        rejectUnauthorized: clientCertificates,
      },
      (socket) => {
        const upstream = host.includes('/') ? connectTcp(host) : connectTcp(Number(engine.port), host);
        for (const [from, to] of [
          [socket, upstream],
          [upstream, socket],
        ] as const)
          from
            .on('error', () => to.destroy())
            .on('close', () => to.destroy())
            .pipe(to);
      },
    );
    server.on('tlsClientError', () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    atEnd(() => void server.close());
    return `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}/${namespace().databaseName}?tls=true`;
  }

  // Shows: 164.312(e)(2)(i)
  test('is trusted only with a certificate of the authority in MONGO_TLS_CA_FILE', async () => {
    const uri = await startTlsMongo();
    const connection = await connectDatabase(uri, { tls: { caFile: ours.caFile } });
    expect(await connection.db!.admin().ping()).toEqual({ ok: 1 });
    await connection.close();
    for (const tls of [{ caFile: strangers.caFile }, {}]) {
      await expect(connectDatabase(uri, { tls })).rejects.toThrow(
        new StartupError(
          "MongoDB's certificate was refused: check that MONGO_TLS_CA_FILE holds the authority that signed it, and " +
            'that MONGO_URI names the host as the certificate does.',
        ),
      );
    }
  });

  test('may require a client certificate', async () => {
    const uri = await startTlsMongo(true);
    const connection = await connectDatabase(uri, { tls: { caFile: ours.caFile, ...client } });
    expect(await connection.db!.admin().ping()).toEqual({ ok: 1 });
    await connection.close();
    await expect(connectDatabase(uri, { tls: { caFile: ours.caFile } })).rejects.toThrow();
  });

  // Shows: 164.312(e)(2)(ii)
  test('stores and returns patients as without TLS', async () => {
    const system = await startSystem({
      worker: false,
      environment: { MONGO_URI: await startTlsMongo(), MONGO_TLS_CA_FILE: ours.caFile },
    });
    const created = await patient(await system.client('CLINICIAN'), { givenName: 'Ada' });
    expect(created.givenName).toBe('Ada');
  });
});

describe('the settings', () => {
  const production = {
    NODE_ENV: 'production',
    SECRET_KEY: testSecretKey,
    ENCRYPTION_KEYS: testEncryptionKeys,
    MONGO_URI: 'mongodb://u:p@db.example.org/r?tls=true',
    REDIS_URL: 'rediss://:secret@redis.example.org',
  };

  test('name an authority and a client certificate for each database', () => {
    const files = Object.fromEntries(
      ['MONGO', 'REDIS'].flatMap((engine) =>
        ['CA', 'CERTIFICATE', 'KEY'].map((kind) => [`${engine}_TLS_${kind}_FILE`, `/${engine}-${kind}.pem`]),
      ),
    );
    expect(loadConfig({ ...production, ...files })).toMatchObject({
      mongoTls: { caFile: '/MONGO-CA.pem', certificateFile: '/MONGO-CERTIFICATE.pem', keyFile: '/MONGO-KEY.pem' },
      redisTls: { caFile: '/REDIS-CA.pem', certificateFile: '/REDIS-CERTIFICATE.pem', keyFile: '/REDIS-KEY.pem' },
    });
  });

  test.each([
    [
      { MONGO_TLS_CA_FILE: '/a', MONGO_URI: 'mongodb://db/r' },
      /MONGO_TLS_CA_FILE is set, but MONGO_URI does not ask for TLS: add tls=true to it/,
    ],
    [
      { MONGO_TLS_KEY_FILE: '/a', MONGO_URI: 'mongodb+srv://db.example.org/r?tls=false' },
      /MONGO_TLS_KEY_FILE is set, but/,
    ],
    [
      { REDIS_TLS_CA_FILE: '/a', REDIS_URL: 'redis://redis' },
      /REDIS_TLS_CA_FILE is set, but REDIS_URL does not ask for TLS: start it with rediss:\/\//,
    ],
    [{ REDIS_TLS_CERTIFICATE_FILE: '/a' }, /REDIS_TLS_CERTIFICATE_FILE is set, but/],
  ])('%o are refused: no connection uses the file', (environment, says) => {
    expect(() => loadConfig(environment)).toThrow(says);
  });

  test('must name files that can be read', async () => {
    const missing = join(directory, 'nowhere.pem');
    expect(() => connectRedis('rediss://127.0.0.1:1', 'waiting', logger, { caFile: missing })).toThrow(
      new StartupError('REDIS_TLS_CA_FILE cannot be read (ENOENT): name a PEM file that this process may read.'),
    );
    await expect(connectDatabase('mongodb://127.0.0.1:1/?tls=true', { tls: { keyFile: missing } })).rejects.toThrow(
      new StartupError('MONGO_TLS_KEY_FILE cannot be read (ENOENT): name a PEM file that this process may read.'),
    );
  });
});
