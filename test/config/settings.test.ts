import { describe, expect, test } from 'vitest';
import { publicSettings } from '../../src/config/public-settings.js';
import { loadConfig } from '../../src/config/config.js';
import { StartupError } from '../../src/errors.js';

/** The message that refuses an environment. */
function refusal(environment: Readonly<Record<string, string>>): string {
  try {
    loadConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(StartupError);
    return (error as Error).message;
  }
  throw new Error('The environment was accepted');
}

test('an empty environment gives the defaults, each in its place in the configuration', () => {
  const config = loadConfig({ PORT: '', LOG_LEVEL: undefined });
  expect(config).toEqual({
    environment: 'development',
    host: '127.0.0.1',
    port: 4000,
    listeningSockets: 32,
    logLevel: 'info',
    metricsHost: '127.0.0.1',
    dataDirectory: '.data',
    backup: {
      keepDaily: 7,
      keepMonthly: 12,
      keepWeekly: 5,
      recipients: [],
      s3Region: 'us-east-1',
      schedule: '0 2 * * *',
    },
    tracing: { ratio: 1 },
    mongoTls: {},
    redisTls: {},
    redisPrefix: 'riskgraph',
    masterKeys: [],
    workerConcurrency: 64,
    workerBatchConcurrency: 4,
    workerScoringThreads: 1,
    batchChunkSize: 2_000,
    cohortLimits: { megabytes: 64, patients: 100_000, seconds: 900 },
    jobAttempts: 5,
    jobRetryDelayMs: 500,
    jobLeaseMs: 10_000,
    jobRetentionDays: 90,
    reconcileIntervalMs: 2_000,
    accessTokenMinutes: 15,
    sessionHours: 12,
    breakGlassMinutes: 60,
    breakGlassPerHour: 20,
    queryLimits: { tokens: 2_000, fields: 500, depth: 12, aliases: 30, directives: 30, cost: 500_000 },
    operationTimeoutMs: 60_000,
    rateLimits: { perUser: 300_000, perAddress: 6_000, costPerUser: 400_000_000 },
    operationLimits: {
      perUser: 500,
      costPerUser: 2_000_000,
      answerBytes: 16 * 1024 * 1024,
      eventBytes: 1024 * 1024,
      waitingPerUser: 64 * 1024 * 1024,
      waitingPerNode: 192 * 1024 * 1024,
    },
    socketLimits: {
      socketsPerNode: 20_000,
      socketsPerOrganization: 10_000,
      socketsPerUser: 5_000,
      unauthenticatedPerNode: 1_000,
      unauthenticatedPerAddress: 250,
      perSocket: 1_000,
      perUser: 10_000,
      perOrganization: 10_000,
      perNode: 20_000,
    },
    riskModelsPollSeconds: 10,
    riskModelsRetiredLoaded: 4,
    corsOrigins: [],
    trustedProxies: [],
    waivedChecks: [],
    webhooks: {
      allowedHosts: [],
      concurrency: 32,
      disableAfterHours: 120,
      retentionDays: 30,
      retrySeconds: [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400],
      timeoutSeconds: 15,
    },
  });
});

test('each value that is set arrives in its place in the configuration', () => {
  expect(
    loadConfig({
      NODE_ENV: 'test',
      PORT: '0',
      MONGO_URI: 'mongodb://user:p%40ss@a:1,b:2/r?tls=true',
      MONGO_TLS_CA_FILE: '/ca.pem',
      QUERY_DEPTH_LIMIT: '7',
      SUBSCRIPTIONS_PER_USER: '3',
      OPERATION_TIMEOUT_SECONDS: '5',
      CORS_ORIGINS: 'https://a.example.org, https://b.example.org:8443,',
      TRUST_PROXY: 'loopback,10.0.0.0/8, 192.0.2.7, 2001:db8::/32',
      RISK_MODELS_DIRECTORY: '/models',
    }),
  ).toMatchObject({
    environment: 'test',
    port: 0,
    mongoUri: 'mongodb://user:p%40ss@a:1,b:2/r?tls=true',
    mongoTls: { caFile: '/ca.pem' },
    queryLimits: { depth: 7, tokens: 2_000 },
    socketLimits: { perUser: 3, perSocket: 1_000 },
    operationTimeoutMs: 5_000,
    corsOrigins: ['https://a.example.org', 'https://b.example.org:8443'],
    trustedProxies: ['loopback', '10.0.0.0/8', '192.0.2.7', '2001:db8::/32'],
    riskModelsDirectory: '/models',
  });
});

test('the settings of a backup say that a secret is set, also by its file, and never the secret', () => {
  expect(publicSettings({ PORT: '1', SECRET_KEY: 'hunter2', ENCRYPTION_KEYS_FILE: '/keys', REDIS_URL: '' })).toEqual({
    PORT: '1',
    SECRET_KEY: null,
    ENCRYPTION_KEYS: null,
  });
});

test('no text of an encryption key is in the configuration', () => {
  const key = 'ab12'.repeat(16);
  expect(JSON.stringify(loadConfig({ ENCRYPTION_KEYS: `k1:${key}` }))).not.toContain(key);
});

describe('a refusal names the variable and the values that it accepts', () => {
  test.each([
    ['PORT', '65536', 'PORT: must be a whole number from 0 to 65535'],
    ['PORT', '-1', 'PORT: must be a whole number from 0 to 65535'],
    ['PORT', '80.5', 'PORT: must be a whole number from 0 to 65535'],
    ['PORT', 'http', 'PORT: must be a whole number from 0 to 65535'],
    ['NODE_ENV', 'staging', 'NODE_ENV: must be one of "development", "production", "test"'],
    ['REDIS_PREFIX', 'Risk Graph', 'REDIS_PREFIX: must be 1 to 40 of a-z, 0-9 and -'],
    ['REDIS_URL', 'http://redis', 'REDIS_URL: must start with redis:// or rediss://'],
    ['MONGO_URI', 'redis://db', 'MONGO_URI: must start with mongodb:// or mongodb+srv://'],
    ['SENTRY_DSN', 'https://sentry.example.org', 'SENTRY_DSN: must be a DSN such as https://KEY@sentry.example.org/1'],
    ['MONGO_URI', 'mongodb://', /^Configuration: MONGO_URI: is not a MongoDB connection string: encode/],
    ['MONGO_URI', 'mongodb+srv://a.example.org:27017/r', /^Configuration: MONGO_URI: is not a MongoDB connection/],
  ])('%s=%s', (name, value, message) => {
    if (typeof message === 'string') expect(refusal({ [name]: value })).toBe(`Configuration: ${message}`);
    else expect(refusal({ [name]: value })).toMatch(message);
  });

  test('all of them at once', () => {
    const message = refusal({
      NODE_ENV: 'staging',
      PORT: 'x',
      MONGO_URI: 'mongodb://root:hun/ter2@db/r',
      MONGO_TLS_CA_FILE: '/ca.pem',
      REDIS_TLS_KEY_FILE: '/key.pem',
      OIDC_AUDIENCE: 'riskgraph',
      ENCRYPTION_KEYS: 'hunter2',
      TRUST_PROXY: '10.0.0.0/8, everyone',
    });
    expect(message.match(/(?:^Configuration: |; )[A-Z][A-Z_]+/g)).toEqual([
      'Configuration: NODE_ENV',
      '; PORT',
      '; TRUST_PROXY',
      '; MONGO_URI',
      '; OIDC_ISSUER',
      '; OIDC_JWKS_URI',
      '; REDIS_TLS_KEY_FILE',
      '; ENCRYPTION_KEYS',
    ]);
    expect(message).not.toMatch(/hun\/?ter2/);
  });
});

test('predictions that would be removed before their job are refused, also with the default for jobs', () => {
  const line = (days: number): string =>
    `Configuration: PREDICTION_RETENTION_DAYS: must be at least JOB_RETENTION_DAYS, which is ${days}: raise it to ` +
    `${days}, or lower JOB_RETENTION_DAYS`;
  expect(refusal({ PREDICTION_RETENTION_DAYS: '1', JOB_RETENTION_DAYS: '90' })).toBe(line(90));
  expect(refusal({ PREDICTION_RETENTION_DAYS: '89' })).toBe(line(90));
  expect(refusal({ PREDICTION_RETENTION_DAYS: '364', JOB_RETENTION_DAYS: '365' })).toBe(line(365));
  expect(refusal({ PREDICTION_RETENTION_DAYS: 'never', JOB_RETENTION_DAYS: '365' })).not.toContain('at least JOB');
  for (const days of ['90', '91'])
    expect(loadConfig({ PREDICTION_RETENTION_DAYS: days })).toMatchObject({ predictionRetentionDays: Number(days) });
  expect(loadConfig({ PREDICTION_RETENTION_DAYS: '1', JOB_RETENTION_DAYS: '1' }).predictionRetentionDays).toBe(1);
});

test('settings that are shown hold no secret, and no user and password of a URL', () => {
  const shown = publicSettings({
    PORT: '4000',
    SECRET_KEY: 'a secret',
    SENTRY_DSN: 'https://key@sentry.hospital.local/1',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:p%40ss@w@10.0.0.7:4318/v1',
    BACKUP_S3_ENDPOINT: 'https://key:secret@s3.hospital.local',
    BACKUP_TARGET: 's3://hospital/a@b',
    REDIS_URL: '',
  });
  expect(shown).toEqual({
    PORT: '4000',
    SECRET_KEY: null,
    SENTRY_DSN: null,
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://10.0.0.7:4318/v1',
    BACKUP_S3_ENDPOINT: 'https://s3.hospital.local',
    BACKUP_TARGET: 's3://hospital/a@b',
  });
});

test('an address of S3 with a user is refused: requests to it would fail', () => {
  expect(refusal({ BACKUP_S3_ENDPOINT: 'https://key:secret@s3.hospital.local' })).toContain(
    'BACKUP_S3_ENDPOINT: takes no user: set BACKUP_S3_ACCESS_KEY_ID',
  );
  expect(refusal({ BACKUP_S3_ENDPOINT: 'ftp://s3', OTEL_EXPORTER_OTLP_ENDPOINT: 'here' })).toMatch(
    /OTEL_EXPORTER_OTLP_ENDPOINT: must be a URL such as .*BACKUP_S3_ENDPOINT: must be a URL such as /s,
  );
});
