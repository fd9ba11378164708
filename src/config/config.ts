import { z } from 'zod';
import { oidcEnvironment, oidcIssues, oidcSettings, type OidcSettings } from './oidc-settings.js';
import { StartupError } from '../errors.js';
import { productionIssues, waivableChecks, type WaivableCheck } from './production-checks.js';
import { deriveMasterKey, parseMasterKeys, type MasterKey } from '../protection/master-keys.js';
import { listOf, originSetting, proxySetting } from './setting-lists.js';
import type { TlsFiles } from '../storage/tls-files.js';
import { tlsIssues } from './tls-issues.js';

const wholeNumber = (minimum: number, maximum: number) => z.coerce.number().int().min(minimum).max(maximum);

/** Every setting, with its default. */
export const environmentSchema = z.object({
  NODE_ENV: z.enum(['development', 'production', 'test']).default('development'),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: wholeNumber(0, 65_535).default(4000),
  MONGO_URI: z
    .string()
    .regex(/^mongodb(\+srv)?:\/\//, 'must start with mongodb:// or mongodb+srv://')
    .optional(),
  MONGO_TLS_CA_FILE: z.string().min(1).optional(),
  MONGO_TLS_CERTIFICATE_FILE: z.string().min(1).optional(),
  MONGO_TLS_KEY_FILE: z.string().min(1).optional(),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must start with redis:// or rediss://')
    .refine((url) => URL.canParse(url), { error: 'is not a URL: encode what is special in its password (%2F for /)' })
    .optional(),
  REDIS_TLS_CA_FILE: z.string().min(1).optional(),
  REDIS_TLS_CERTIFICATE_FILE: z.string().min(1).optional(),
  REDIS_TLS_KEY_FILE: z.string().min(1).optional(),
  SECRET_KEY: z.string().min(1).optional(),
  ENCRYPTION_KEYS: z.string().optional(),
  DATA_DIRECTORY: z.string().min(1).default('.data'),
  RISK_MODELS_DIRECTORY: z.string().min(1).optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  WORKER_CONCURRENCY: wholeNumber(1, 1_000).default(64),
  WORKER_BATCH_CONCURRENCY: wholeNumber(1, 64).default(4),
  WORKER_SCORING_THREADS: wholeNumber(1, 64).default(1),
  REDIS_PREFIX: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'must be 1 to 40 of a-z, 0-9 and -')
    .default('riskgraph'),
  JOB_ATTEMPTS: wholeNumber(1, 20).default(5),
  JOB_RETRY_DELAY_MS: wholeNumber(1, 60_000).default(500),
  JOB_LEASE_MS: wholeNumber(500, 300_000).default(10_000),
  BATCH_CHUNK_SIZE: wholeNumber(1, 5_000).default(2_000),
  JOB_RETENTION_DAYS: wholeNumber(1, 3_650).default(90),
  BREAK_GLASS_MINUTES: wholeNumber(1, 1_440).default(60),
  RECONCILE_INTERVAL_MS: wholeNumber(100, 60_000).default(2_000),
  ACCESS_TOKEN_MINUTES: wholeNumber(1, 60).default(15),
  SESSION_HOURS: wholeNumber(1, 168).default(12),
  ...oidcEnvironment,
  QUERY_TOKEN_LIMIT: wholeNumber(100, 100_000).default(2_000),
  QUERY_FIELD_LIMIT: wholeNumber(10, 100_000).default(500),
  QUERY_DEPTH_LIMIT: wholeNumber(1, 100).default(12),
  QUERY_ALIAS_LIMIT: wholeNumber(0, 10_000).default(30),
  QUERY_DIRECTIVE_LIMIT: wholeNumber(0, 10_000).default(30),
  QUERY_COST_LIMIT: wholeNumber(1, 1_000_000_000).default(250_000),
  OPERATION_TIMEOUT_SECONDS: wholeNumber(1, 600).default(60),
  PERSISTED_QUERIES_FILE: z.string().min(1).optional(),
  RATE_LIMIT_USER_PER_MINUTE: wholeNumber(1, 1_000_000_000).default(300_000),
  RATE_LIMIT_ADDRESS_PER_MINUTE: wholeNumber(1, 1_000_000_000).default(6_000),
  SOCKETS_PER_NODE: wholeNumber(1, 1_000_000).default(20_000),
  SUBSCRIPTIONS_PER_SOCKET: wholeNumber(1, 1_000_000).default(1_000),
  SUBSCRIPTIONS_PER_USER: wholeNumber(1, 1_000_000).default(10_000),
  SUBSCRIPTIONS_PER_NODE: wholeNumber(1, 1_000_000).default(20_000),
  CORS_ORIGINS: listOf(originSetting).default([]),
  TRUST_PROXY: listOf(proxySetting).default([]),
  WAIVED_CHECKS: listOf(z.enum(waivableChecks)).default([]),
});

/** Settings of one process; see the README's environment table. Times are in milliseconds. */
export interface Config {
  readonly environment: 'development' | 'production' | 'test';
  readonly host: string;
  readonly port: number;
  /** Undefined: `up` starts the embedded engine; `api` and `worker` refuse. */
  readonly mongoUri: string | undefined;
  /** For a MONGO_URI that asks for TLS. */
  readonly mongoTls: TlsFiles;
  readonly redisUrl: string | undefined;
  /** For a `rediss://` URL. */
  readonly redisTls: TlsFiles;
  /** Signs access tokens. Undefined only outside production, where `up` keeps one in the data directory. */
  readonly secretKey: string | undefined;
  /**
   * Wrap the data keys of the organizations; the first one wraps new ones. Outside production the one that is derived from
   * `secretKey` comes last. Empty where neither was given, which is never in production.
   */
  readonly masterKeys: readonly MasterKey[];
  readonly dataDirectory: string;
  /** Undefined: the models shipped with the package. */
  readonly riskModelsDirectory: string | undefined;
  readonly logLevel: string;
  /** Single jobs that a worker has under way at once; they share their round trips. */
  readonly workerConcurrency: number;
  /** Chunks of batches that a worker has under way at once, beside the single jobs. */
  readonly workerBatchConcurrency: number;
  /** Threads that compute chunks of batches; each holds its own copy of the models. */
  readonly workerScoringThreads: number;
  /** Namespace of every key and channel in Redis. */
  readonly redisPrefix: string;
  /** How often a scoring job is tried before it is FAILED. */
  readonly jobAttempts: number;
  /** First delay before a retry; doubles each time, with jitter. */
  readonly jobRetryDelayMs: number;
  /** A running job whose worker is silent for this long is taken over. */
  readonly jobLeaseMs: number;
  /** Patients a chunk of a batch. */
  readonly batchChunkSize: number;
  /** Finished jobs (not their predictions) are removed after this many days. */
  readonly jobRetentionDays: number;
  readonly reconcileIntervalMs: number;
  /** How long a patient outside of the care team stays open to whoever broke the glass. */
  readonly breakGlassMinutes: number;
  /** How long the access token of a session is valid. */
  readonly accessTokenMinutes: number;
  /** How long after its login a session ends, however often it was refreshed. */
  readonly sessionHours: number;
  /** Undefined: nobody's tokens are taken but our own. */
  readonly oidc: OidcSettings | undefined;
  readonly queryLimits: QueryLimits;
  /** From when a request has been read to its answer. */
  readonly operationTimeoutMs: number;
  /** JSON object of the only documents that are run, by their SHA-256. Undefined: every document is. */
  readonly persistedQueriesFile: string | undefined;
  readonly rateLimits: RateLimits;
  readonly socketLimits: SocketLimits;
  /** Origins whose pages may call the API from a browser, beside its own; `*` stands for all. */
  readonly corsOrigins: readonly string[];
  /** Proxies whose X-Forwarded-* headers are believed. */
  readonly trustedProxies: readonly string[];
  /** Checks of a production start that the operator takes upon themselves. */
  readonly waivedChecks: readonly WaivableCheck[];
}

/** The most that one query may ask for. src/http/query-limits.ts says what each counts and why that much. */
export interface QueryLimits {
  readonly tokens: number;
  readonly fields: number;
  readonly depth: number;
  readonly aliases: number;
  readonly directives: number;
  readonly cost: number;
}

/** Requests a minute, over all API processes together. */
export interface RateLimits {
  /** Of one user or API key. */
  readonly perUser: number;
  /** Of one address, from callers without a valid token. */
  readonly perAddress: number;
}

/** The most that is open at once in one API process. */
export interface SocketLimits {
  readonly socketsPerNode: number;
  readonly perSocket: number;
  readonly perUser: number;
  readonly perNode: number;
}

/**
 * The master keys of an environment, and what is wrong with their form. Whether they are strong enough for production is
 * a check of its own.
 */
function readMasterKeys({ NODE_ENV, SECRET_KEY, ENCRYPTION_KEYS }: Readonly<Record<string, string | undefined>>): {
  keys: MasterKey[];
  issues: string[];
} {
  const { keys, issues } = ENCRYPTION_KEYS === undefined ? { keys: [], issues: [] } : parseMasterKeys(ENCRYPTION_KEYS);
  const derived =
    SECRET_KEY !== undefined && (NODE_ENV !== 'production' || keys.length === 0) ? [deriveMasterKey(SECRET_KEY)] : [];
  return { keys: [...keys, ...derived], issues };
}

/**
 * Reads and validates the environment.
 * @param env usually `process.env`; empty strings count as unset
 * @throws StartupError naming every variable that is wrong, and what it accepts
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environmentSchema.safeParse(given);
  const issues = parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  issues.push(...oidcIssues(given), ...tlsIssues(given));
  if (given.NODE_ENV === 'production') {
    // On their own, so that one mistake does not hide the others.
    const { CORS_ORIGINS, WAIVED_CHECKS } = environmentSchema.shape;
    const checked = {
      secretKey: given.SECRET_KEY,
      encryptionKeys: given.ENCRYPTION_KEYS,
      mongoUri: given.MONGO_URI,
      redisUrl: given.REDIS_URL,
      corsOrigins: CORS_ORIGINS.safeParse(given.CORS_ORIGINS).data ?? [],
      oidcIssuer: given.OIDC_ISSUER,
      oidcOrganizations: given.OIDC_ORGANIZATIONS,
    };
    issues.push(...productionIssues(checked, WAIVED_CHECKS.safeParse(given.WAIVED_CHECKS).data ?? []));
  }
  const { keys, issues: keyIssues } = readMasterKeys(given);
  issues.push(...keyIssues);
  if (!parsed.success || issues.length > 0) throw new StartupError(`Configuration: ${issues.join('; ')}`);
  const values = parsed.data;
  return {
    environment: values.NODE_ENV,
    host: values.HOST,
    port: values.PORT,
    mongoUri: values.MONGO_URI,
    mongoTls: {
      caFile: values.MONGO_TLS_CA_FILE,
      certificateFile: values.MONGO_TLS_CERTIFICATE_FILE,
      keyFile: values.MONGO_TLS_KEY_FILE,
    },
    redisUrl: values.REDIS_URL,
    redisTls: {
      caFile: values.REDIS_TLS_CA_FILE,
      certificateFile: values.REDIS_TLS_CERTIFICATE_FILE,
      keyFile: values.REDIS_TLS_KEY_FILE,
    },
    secretKey: values.SECRET_KEY,
    masterKeys: keys,
    dataDirectory: values.DATA_DIRECTORY,
    riskModelsDirectory: values.RISK_MODELS_DIRECTORY,
    logLevel: values.LOG_LEVEL,
    workerConcurrency: values.WORKER_CONCURRENCY,
    workerBatchConcurrency: values.WORKER_BATCH_CONCURRENCY,
    workerScoringThreads: values.WORKER_SCORING_THREADS,
    redisPrefix: values.REDIS_PREFIX,
    jobAttempts: values.JOB_ATTEMPTS,
    jobRetryDelayMs: values.JOB_RETRY_DELAY_MS,
    jobLeaseMs: values.JOB_LEASE_MS,
    batchChunkSize: values.BATCH_CHUNK_SIZE,
    jobRetentionDays: values.JOB_RETENTION_DAYS,
    reconcileIntervalMs: values.RECONCILE_INTERVAL_MS,
    breakGlassMinutes: values.BREAK_GLASS_MINUTES,
    accessTokenMinutes: values.ACCESS_TOKEN_MINUTES,
    sessionHours: values.SESSION_HOURS,
    oidc: oidcSettings(values),
    queryLimits: {
      tokens: values.QUERY_TOKEN_LIMIT,
      fields: values.QUERY_FIELD_LIMIT,
      depth: values.QUERY_DEPTH_LIMIT,
      aliases: values.QUERY_ALIAS_LIMIT,
      directives: values.QUERY_DIRECTIVE_LIMIT,
      cost: values.QUERY_COST_LIMIT,
    },
    operationTimeoutMs: values.OPERATION_TIMEOUT_SECONDS * 1_000,
    persistedQueriesFile: values.PERSISTED_QUERIES_FILE,
    rateLimits: { perUser: values.RATE_LIMIT_USER_PER_MINUTE, perAddress: values.RATE_LIMIT_ADDRESS_PER_MINUTE },
    socketLimits: {
      socketsPerNode: values.SOCKETS_PER_NODE,
      perSocket: values.SUBSCRIPTIONS_PER_SOCKET,
      perUser: values.SUBSCRIPTIONS_PER_USER,
      perNode: values.SUBSCRIPTIONS_PER_NODE,
    },
    corsOrigins: values.CORS_ORIGINS,
    trustedProxies: values.TRUST_PROXY,
    waivedChecks: values.WAIVED_CHECKS,
  };
}
