/** Covers src/config/production-checks.ts, src/config/config.ts. */
// Threat: a production system starts with insecure settings.

import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/config.js';
import { StartupError } from '../../src/errors.js';
import { createLogger } from '../../src/process/logger.js';
import { waivableChecks } from '../../src/config/production-checks.js';
import { randomMasterKeys } from '../support/protection.js';
import { startSystem } from '../support/system.js';

const good = {
  NODE_ENV: 'production',
  SECRET_KEY: 'n2Q7vX0pLk9sTzR4yW8bHc3mJf6dGa1E',
  ENCRYPTION_KEYS: randomMasterKeys('2025-1').join(),
  MONGO_URI: 'mongodb://riskgraph:secret@mongodb:27017/riskgraph?replicaSet=rs0',
  REDIS_URL: 'redis://:secret@redis:6379',
};

/** Loads settings in production. @returns the reason of their refusal, or an empty text */
function refusal(settings: Readonly<Record<string, string | undefined>>): string {
  try {
    loadConfig({ ...good, ...settings });
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(StartupError);
    return (error as Error).message;
  }
}

const refused: Record<string, readonly [setting: Record<string, string>, check: string, says: RegExp][]> = {
  'a weak secret': [
    [{ SECRET_KEY: 'short' }, 'weak-secret-key', /SECRET_KEY is shorter than 32 characters: set it to a random one/],
    [{ SECRET_KEY: 'ab'.repeat(20) }, 'weak-secret-key', /SECRET_KEY has fewer than 10 different characters/],
    [{ SECRET_KEY: 'change-me-0123456789-abcdefghijklmn' }, 'weak-secret-key', /SECRET_KEY looks like a default/],
    [{ SECRET_KEY: 'Secret0123456789abcdefghijklmnopqrs' }, 'weak-secret-key', /SECRET_KEY looks like a default/],
  ],
  'no encryption key of its own': [
    [
      { ENCRYPTION_KEYS: '' },
      'missing-encryption-keys',
      /ENCRYPTION_KEYS is not set, so SECRET_KEY would have to encrypt patients too: set it to "id:key"/,
    ],
  ],
  'an encryption key that can be guessed': [
    [{ ENCRYPTION_KEYS: `a:${'00'.repeat(32)}` }, 'weak-encryption-keys', /ENCRYPTION_KEYS holds a key that/],
    [
      { ENCRYPTION_KEYS: `a:${Buffer.from('n2Q7vX0pLk9sTzR4yW8bHc3mJf6dGa1E').toString('hex')}` },
      'weak-encryption-keys',
      /ENCRYPTION_KEYS holds a key that/,
    ],
  ],
  'pages of every site': [
    [
      { CORS_ORIGINS: 'https://app.example.org, *' },
      'wildcard-cors',
      /CORS_ORIGINS is \*, which lets the pages of every site call the API: list the origins of your own pages/,
    ],
  ],
  'plaintext to a public MongoDB': [
    [
      { MONGO_URI: 'mongodb://u:p@db.example.org/r' },
      'plaintext-mongodb',
      /MONGO_URI names the public host db\.example\.org without verified TLS.+add tls=true/,
    ],
    [
      { MONGO_URI: 'mongodb://u:p@10.0.0.1:27017,db.example.org:27017/r' },
      'plaintext-mongodb',
      /public host db\.example\.org /,
    ],
    [{ MONGO_URI: 'mongodb://u:p@8.8.8.8' }, 'plaintext-mongodb', /public host 8\.8\.8\.8 /],
    [{ MONGO_URI: 'mongodb://u:p@[2606:4700::1111]:27017/r' }, 'plaintext-mongodb', /public host \[2606:4700::1111\] /],
    [{ MONGO_URI: 'mongodb://u:p@[::ffff:8.8.8.8]/r' }, 'plaintext-mongodb', /public host/],
    [{ MONGO_URI: 'mongodb://u:p@134744072/r' }, 'plaintext-mongodb', /public host 134744072 /],
    [{ MONGO_URI: 'mongodb+srv://u:p@cluster.example.org/r?tls=false' }, 'plaintext-mongodb', /public host cluster/],
    [{ MONGO_URI: 'mongodb://u:p@db.example.org/r?TLS=false&ssl=true' }, 'plaintext-mongodb', /public host db/],
    [
      { MONGO_URI: 'mongodb://u:p@db.example.org/r?tls=true&tlsAllowInvalidCertificates=true' },
      'plaintext-mongodb',
      /without verified TLS/,
    ],
    [
      { MONGO_URI: 'mongodb://u:p@db.example.org/r?tls=true&tlsInsecure=true' },
      'plaintext-mongodb',
      /without verified TLS/,
    ],
    [{ MONGO_URI: 'mongodb://u:p@db.localhost.example.org/r' }, 'plaintext-mongodb', /public host/],
    [{ MONGO_URI: 'mongodb://u:p@172.32.0.1/r' }, 'plaintext-mongodb', /public host/],
    [
      { MONGO_URI: 'mongodb://u:p@mongo-0,mongo-1,db.example.org/r' },
      'plaintext-mongodb',
      /public host db\.example\.org /,
    ],
    // The driver decodes the host before the DNS lookup.
    [{ MONGO_URI: 'mongodb://u:p@db%2Eexample%2Eorg/r' }, 'plaintext-mongodb', /public host db\.example\.org /],
    [{ MONGO_URI: 'mongodb+srv://u:p@cluster.example.org/r?ssl=false' }, 'plaintext-mongodb', /public host cluster/],
    [{ MONGO_URI: 'mongodb://u:p@db.example.org/?tls=true&TLS=false' }, 'plaintext-mongodb', /public host db/],
    [
      { MONGO_URI: 'mongodb://u:p@db.example.org/r?tls=true&TLSAllowInvalidHostnames=true' },
      'plaintext-mongodb',
      /without verified TLS/,
    ],
    [{ MONGO_URI: 'mongodb://u:p%40localhost@db.example.org/r' }, 'plaintext-mongodb', /public host db/],
  ],
  'a MongoDB without a password': [
    [
      { MONGO_URI: 'mongodb://10.0.0.9:27017/riskgraph' },
      'mongodb-without-password',
      /MONGO_URI has no password, so every program that reaches that host could read and change all data: switch on/,
    ],
    [{ MONGO_URI: 'mongodb://user@mongo/r' }, 'mongodb-without-password', /has no password/],
    [{ MONGO_URI: 'mongodb://127.0.0.1,mongo-1/r' }, 'mongodb-without-password', /has no password/],
    [{ MONGO_URI: 'mongodb+srv://cluster.example.org/r' }, 'mongodb-without-password', /has no password/],
    // These mechanisms need a password.
    [{ MONGO_URI: 'mongodb://u@mongo/r?authMechanism=SCRAM-SHA-256' }, 'mongodb-without-password', /has no password/],
    [{ MONGO_URI: 'mongodb://u@mongo/r?authMechanism=PLAIN' }, 'mongodb-without-password', /has no password/],
  ],
  'plaintext to a public Redis': [
    [
      { REDIS_URL: 'redis://:secret@redis.example.org:6379' },
      'plaintext-redis',
      /REDIS_URL names the public host redis\.example\.org without TLS.+use rediss:\/\//,
    ],
    [{ REDIS_URL: 'redis://:secret@8.8.4.4' }, 'plaintext-redis', /public host 8\.8\.4\.4 /],
    [{ REDIS_URL: 'redis://:secret@[2606:4700::1111]:6379' }, 'plaintext-redis', /public host/],
    [{ REDIS_URL: 'redis://:secret@0x08080808:6379' }, 'plaintext-redis', /public host/],
  ],
  'an identity provider that speaks for every organization': [
    [
      {
        OIDC_ISSUER: 'https://login.example.org',
        OIDC_JWKS_URI: 'https://login.example.org/keys',
        OIDC_AUDIENCE: 'riskgraph',
      },
      'oidc-without-organizations',
      /OIDC_ISSUER may speak for every organization.+list its own organizations in OIDC_ORGANIZATIONS/,
    ],
  ],
  'a Redis without a password': [
    [
      { REDIS_URL: 'redis://redis:6379' },
      'redis-without-password',
      /REDIS_URL has no password, so every program that reaches that host could submit and change jobs: set requirepass/,
    ],
    [{ REDIS_URL: 'rediss://user@redis.example.org' }, 'redis-without-password', /has no password/],
  ],
};

describe.each(Object.entries(refused))('%s', (_name, cases) => {
  // Shows: 164.312(e)(1)
  test.each(cases)('%o does not start, unless waived by name', (settings, check, says) => {
    expect(refusal(settings)).toMatch(says);
    expect(refusal(settings)).toContain(`or waive it with WAIVED_CHECKS=${check}`);
    expect(refusal({ ...settings, WAIVED_CHECKS: check })).toBe('');
    const others = waivableChecks.filter((name) => name !== check).join(',');
    expect(refusal({ ...settings, WAIVED_CHECKS: others })).toMatch(says);
    // Outside production these settings are accepted.
    expect(refusal({ ...settings, NODE_ENV: 'development' })).toBe('');
  });
});

test('every check that can be waived has a test above', () => {
  const tested = Object.values(refused).flatMap((cases) => cases.map(([, check]) => check));
  // No setting tells whether Redis evicts: test/storage/redis-fitness.test.ts asks one.
  expect(new Set([...tested, 'evicting-redis'])).toEqual(new Set(waivableChecks));
});

test.each([
  {},
  { MONGO_URI: 'mongodb://u:p@db.example.org/r?tls=true' },
  { MONGO_URI: 'mongodb+srv://u:p@cluster.example.org/r' },
  { MONGO_URI: 'mongodb://u:p%40db.example.org@mongo-0:27017,mongo-1:27017/r' },
  { MONGO_URI: 'mongodb://u:p@db-0.example.org,db-1.example.org:27018/r?SSL=true' },
  ...[
    'localhost',
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.1.1',
    '[::1]:27017',
    '[fd00::1]',
    '[fe80::1]',
    '[::ffff:10.0.0.1]',
    '[::ffff:a00:1]',
    '100.64.0.1',
    '%2Ftmp%2Fmongodb-27017.sock',
    'mongo',
    'mongo.data.svc',
    'mongo.data.svc.cluster.local',
    'db.hospital.internal',
    'db.lan',
    'db.home.arpa',
    'DB.LAN.:27017',
  ].map((host) => ({ MONGO_URI: `mongodb://u:p@${host}/r` })),
  ...['localhost:27017', '127.0.0.1,[::1]:27018', '%2Ftmp%2Fmongodb-27017.sock'].map((hosts) => ({
    MONGO_URI: `mongodb://${hosts}/r`,
  })),
  { MONGO_URI: 'mongodb://mongo/r?tls=true&authMechanism=MONGODB-X509&authSource=$external' },
  { MONGO_URI: 'mongodb://riskgraph%40HOSPITAL.ORG@mongo/r?authMechanism=GSSAPI&authSource=$external' },
  { MONGO_URI: 'mongodb://mongo/r?AUTHMECHANISM=MONGODB-AWS' },
  { MONGO_URI: 'mongodb://mongo/r?authMechanism=MONGODB-OIDC&authMechanismProperties=ENVIRONMENT:k8s' },
  { REDIS_URL: 'rediss://:secret@redis.example.org' },
  { REDIS_URL: 'redis://127.0.0.1:6379' },
  { REDIS_URL: 'redis://[::1]:6379' },
  { REDIS_URL: 'redis://:secret@redis.data.svc.cluster.local' },
  { CORS_ORIGINS: 'https://app.example.org, http://localhost:3000' },
])('%o starts', (settings) => {
  expect(refusal(settings)).toBe('');
});

test('every problem of any kind is named at once, and no secret is repeated', () => {
  const message = refusal({
    SECRET_KEY: 'hunter2',
    MONGO_URI: 'mongodb://root:hunter2@db.example.org/r',
    REDIS_URL: 'redis://:hunter2@redis.example.org',
    CORS_ORIGINS: '*',
    PORT: 'x',
  });
  for (const name of ['PORT', 'SECRET_KEY', 'CORS_ORIGINS', 'MONGO_URI', 'REDIS_URL']) expect(message).toContain(name);
  expect(message).not.toContain('hunter2');
  expect(message).not.toContain('\n');
});

test('a missing SECRET_KEY cannot be waived', () => {
  expect(refusal({ SECRET_KEY: undefined, WAIVED_CHECKS: waivableChecks.join(',') })).toMatch(/SECRET_KEY is not set/);
});

test.each(['everything', 'plaintext', 'weak-secret-key;wildcard-cors'])(
  'WAIVED_CHECKS=%s is refused: it names no check',
  (value) => {
    expect(refusal({ WAIVED_CHECKS: value })).toMatch(/WAIVED_CHECKS.*"weak-secret-key"/);
    expect(refusal({ WAIVED_CHECKS: value, NODE_ENV: 'test' })).toMatch(/WAIVED_CHECKS/);
  },
);

test.each([
  'https://app.example.org/',
  'https://app.example.org/path',
  'app.example.org',
  'ftp://app.example.org',
  'https://*.example.org',
  'null',
  'https://user@app.example.org',
])('CORS_ORIGINS=%s is refused: it is not an origin', (value) => {
  expect(refusal({ CORS_ORIGINS: value })).toMatch(/CORS_ORIGINS.*must be origins such as https:\/\/app\.example\.org/);
});

test('each waived check is logged at every start', async () => {
  const lines: string[] = [];
  const logger = Object.assign(createLogger('warn', 'test'), {
    [pino.symbols.streamSym]: { write: (line: string) => lines.push(line) },
  });
  await startSystem({
    worker: false,
    logger,
    environment: { NODE_ENV: 'production', CORS_ORIGINS: '*', WAIVED_CHECKS: 'wildcard-cors' },
  });
  const waivers = lines
    .map((line) => JSON.parse(line) as { level: number; check?: string })
    .filter(({ check }) => check !== undefined);
  expect(waivers).toMatchObject([{ level: 40, check: 'wildcard-cors' }]);
});
