import { z } from 'zod';
import { oidcEnvironment, oidcFaults, oidcSettings, type OidcSettings } from './auth/oidc/oidc-settings.js';
import { StartupError } from './errors.js';
import { deriveMasterKey, masterKeyWeakness, parseMasterKeys, type MasterKey } from './protection/master-keys.js';

const wholeNumber = (minimum: number, maximum: number) => z.coerce.number().int().min(minimum).max(maximum);

const environmentSchema = z.object({
  NODE_ENV: z.enum(['development', 'production', 'test']).default('development'),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: wholeNumber(0, 65_535).default(4000),
  MONGO_URI: z.string().regex(/^mongodb(\+srv)?:\/\//, 'must start with mongodb:// or mongodb+srv://').optional(),
  REDIS_URL: z.string().regex(/^rediss?:\/\//, 'must start with redis:// or rediss://').optional(),
  SECRET_KEY: z.string().min(1).optional(),
  ENCRYPTION_KEYS: z.string().optional(),
  DATA_DIRECTORY: z.string().min(1).default('.data'),
  RISK_MODELS_DIRECTORY: z.string().min(1).optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  WORKER_CONCURRENCY: wholeNumber(1, 1_000).default(64),
  WORKER_BATCH_CONCURRENCY: wholeNumber(1, 64).default(4),
  REDIS_PREFIX: z.string().regex(/^[a-z0-9-]{1,40}$/, 'must be 1 to 40 of a-z, 0-9 and -').default('riskgraph'),
  JOB_ATTEMPTS: wholeNumber(1, 20).default(5),
  JOB_RETRY_DELAY_MS: wholeNumber(1, 60_000).default(500),
  JOB_LEASE_MS: wholeNumber(500, 300_000).default(10_000),
  BATCH_CHUNK_SIZE: wholeNumber(1, 5_000).default(1_000),
  JOB_RETENTION_DAYS: wholeNumber(1, 3_650).default(90),
  BREAK_GLASS_MINUTES: wholeNumber(1, 1_440).default(60),
  RECONCILE_INTERVAL_MS: wholeNumber(100, 60_000).default(2_000),
  ACCESS_TOKEN_MINUTES: wholeNumber(1, 60).default(15),
  SESSION_HOURS: wholeNumber(1, 168).default(12),
  ...oidcEnvironment,
});

/** Settings of one process; see the README's environment table. Times are in milliseconds. */
export interface Config {
  readonly environment: 'development' | 'production' | 'test';
  readonly host: string;
  readonly port: number;
  /** Undefined: `up` starts the embedded engine; `api` and `worker` refuse. */
  readonly mongoUri: string | undefined;
  readonly redisUrl: string | undefined;
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
}

const commonSecrets = /^(secret|change-?me|password|default|test|example|development|riskgraph)/i;

/** Why a key is too weak to sign tokens in production, or undefined when it is not. */
function secretKeyWeakness(key: string): string | undefined {
  if (key.length < 32) return 'is shorter than 32 characters';
  if (new Set(key).size < 10) return 'has fewer than 10 different characters';
  if (commonSecrets.test(key)) return 'looks like a default';
  return undefined;
}

/** The master keys of an environment, and what is wrong with them. */
function readMasterKeys({ NODE_ENV, SECRET_KEY, ENCRYPTION_KEYS }: Readonly<Record<string, string | undefined>>): { keys: MasterKey[]; faults: string[] } {
  const { keys, faults } = ENCRYPTION_KEYS === undefined ? { keys: [], faults: [] } : parseMasterKeys(ENCRYPTION_KEYS);
  if (NODE_ENV === 'production') {
    const remedy = 'set it to "id:key", e.g. the id "2025-1" and the output of "openssl rand -hex 32", and keep a copy apart from the backups: without it nobody can read the patients';
    if (ENCRYPTION_KEYS === undefined) faults.push(`ENCRYPTION_KEYS is not set: ${remedy}`);
    const weakness = keys.map((key) => masterKeyWeakness(key, SECRET_KEY)).find((reason) => reason !== undefined);
    if (weakness) faults.push(`ENCRYPTION_KEYS holds a key that ${weakness}: ${remedy}`);
  }
  const derived = SECRET_KEY !== undefined && (NODE_ENV !== 'production' || keys.length === 0) ? [deriveMasterKey(SECRET_KEY)] : [];
  return { keys: [...keys, ...derived], faults };
}

/**
 * Reads and validates the environment.
 * @param env usually `process.env`; empty strings count as unset
 * @throws StartupError naming every variable that is wrong, and what it accepts
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environmentSchema.safeParse(given);
  const faults = parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  faults.push(...oidcFaults(given));
  if (given.NODE_ENV === 'production') {
    const remedy = 'set it to a random one, e.g. the output of "openssl rand -base64 48"';
    const weakness = given.SECRET_KEY === undefined ? 'is not set' : secretKeyWeakness(given.SECRET_KEY);
    if (weakness) faults.push(`SECRET_KEY ${weakness}: ${remedy}`);
  }
  const { keys, faults: keyFaults } = readMasterKeys(given);
  faults.push(...keyFaults);
  if (!parsed.success || faults.length > 0) throw new StartupError(`Configuration: ${faults.join('; ')}`);
  const values = parsed.data;
  return {
    environment: values.NODE_ENV,
    host: values.HOST,
    port: values.PORT,
    mongoUri: values.MONGO_URI,
    redisUrl: values.REDIS_URL,
    secretKey: values.SECRET_KEY,
    masterKeys: keys,
    dataDirectory: values.DATA_DIRECTORY,
    riskModelsDirectory: values.RISK_MODELS_DIRECTORY,
    logLevel: values.LOG_LEVEL,
    workerConcurrency: values.WORKER_CONCURRENCY,
    workerBatchConcurrency: values.WORKER_BATCH_CONCURRENCY,
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
  };
}
