import { StartupError } from '../errors.js';
import { deriveMasterKey, parseMasterKeys, type MasterKey } from '../protection/master-keys.js';
import { oidcIssues, readOidcSettings, type OidcSettings } from './oidc-settings.js';
import { productionIssues } from './production-checks.js';
import { readSecretFiles } from './secret-files.js';
import { environmentSchema, valuesByKey, type SettingValues } from './settings.js';
import { tlsIssues } from './tls-issues.js';

/** Settings whose value is not just the text of one variable. */
interface DerivedSettings {
  /**
   * Master keys, which encrypt the data keys of the organizations. The first one encrypts new data keys. Outside
   * production, the key that is derived from `secretKey` comes last. Empty when neither variable is set, which
   * production refuses.
   */
  readonly masterKeys: readonly MasterKey[];
  /** Undefined: only tokens of this server are accepted. */
  readonly oidc: OidcSettings | undefined;
  readonly operationTimeoutMs: number;
}

/** Settings of one process. They are made from the table in src/config/settings.ts, which says what each means. */
export type Config = Omit<SettingValues, 'encryptionKeys' | 'oidc' | 'operationTimeoutSeconds'> & DerivedSettings;

/**
 * The most that one query may ask for. src/http/query-limits.ts says what each limit counts, and why it has its value.
 */
export type QueryLimits = Config['queryLimits'];

/** Requests per minute, over all API processes together. */
export type RateLimits = Config['rateLimits'];

/** The most that operations may hold at the same time in one API process. */
export type OperationLimits = Config['operationLimits'];

/** The most that one cohort may have. */
export type CohortLimits = Config['cohortLimits'];

/** The most WebSockets and subscriptions at the same time in one API process. */
export type SocketLimits = Config['socketLimits'];

/** Texts of the environment, by variable. */
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the master keys of an environment, and finds the issues of their form. A check of production finds weak keys.
 */
function readMasterKeys({ NODE_ENV, SECRET_KEY, ENCRYPTION_KEYS }: Environment): {
  keys: MasterKey[];
  issues: string[];
} {
  const { keys, issues } = ENCRYPTION_KEYS === undefined ? { keys: [], issues: [] } : parseMasterKeys(ENCRYPTION_KEYS);
  const derived =
    SECRET_KEY !== undefined && (NODE_ENV !== 'production' || keys.length === 0) ? [deriveMasterKey(SECRET_KEY)] : [];
  return { keys: [...keys, ...derived], issues };
}

/** Finds predictions that would be removed before their job is. A value that cannot be read has an issue of its own. */
function retentionIssues(given: Environment): string[] {
  const { JOB_RETENTION_DAYS, PREDICTION_RETENTION_DAYS } = environmentSchema.shape;
  const jobs = JOB_RETENTION_DAYS.safeParse(given.JOB_RETENTION_DAYS).data;
  const predictions = PREDICTION_RETENTION_DAYS.safeParse(given.PREDICTION_RETENTION_DAYS).data;
  if (jobs === undefined || predictions === undefined || predictions >= jobs) return [];
  return [
    `PREDICTION_RETENTION_DAYS: must be at least JOB_RETENTION_DAYS, which is ${jobs}: raise it to ${jobs}, or lower ` +
      'JOB_RETENTION_DAYS',
  ];
}

/**
 * Finds the issues of a production start. Each setting is read on its own, so that an issue of another one does not
 * hide them.
 */
function issuesInProduction(given: Environment): string[] {
  const { CORS_ORIGINS, WAIVED_CHECKS } = environmentSchema.shape;
  return productionIssues(
    {
      secretKey: given.SECRET_KEY,
      encryptionKeys: given.ENCRYPTION_KEYS,
      mongoUri: given.MONGO_URI,
      redisUrl: given.REDIS_URL,
      corsOrigins: CORS_ORIGINS.safeParse(given.CORS_ORIGINS).data ?? [],
      oidcIssuer: given.OIDC_ISSUER,
      oidcOrganizations: given.OIDC_ORGANIZATIONS,
    },
    WAIVED_CHECKS.safeParse(given.WAIVED_CHECKS).data ?? [],
  );
}

/**
 * Reads and validates the environment.
 * 1. Empty variables are removed.
 * 2. Secrets that `NAME_FILE` names are read from their files.
 * 3. Each variable is parsed by its row in the table of settings.
 * 4. Variables that belong together are compared: those of the identity provider, of TLS files, and of retention.
 * 5. Production adds its own checks, unless a secret could not be read: it would count as missing there.
 * 6. All issues are reported in one error. Without issues, the values are put where `Config` has them.
 * @param env usually `process.env`; empty strings count as unset
 * @throws StartupError naming every variable that is wrong, and the values that it accepts
 */
export function loadConfig(env: Environment): Config {
  const { environment: given, issues: fileIssues } = readSecretFiles(
    Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== '')),
  );
  const parsed = environmentSchema.safeParse(given);
  const { keys: masterKeys, issues: keyIssues } = readMasterKeys(given);
  const issues = [
    ...fileIssues,
    ...(parsed.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []),
    ...oidcIssues(given),
    ...tlsIssues(given),
    ...retentionIssues(given),
    ...(given.NODE_ENV === 'production' && fileIssues.length === 0 ? issuesInProduction(given) : []),
    ...keyIssues,
  ];
  if (!parsed.success || issues.length > 0) throw new StartupError(`Configuration: ${issues.join('; ')}`);
  // Leaves out the settings that `Config` holds in another form. The text of the encryption keys would be one more copy
  // of a secret.
  const { encryptionKeys: _, oidc, operationTimeoutSeconds, ...values } = valuesByKey(parsed.data);
  return {
    ...values,
    masterKeys,
    oidc: readOidcSettings(oidc),
    operationTimeoutMs: operationTimeoutSeconds * 1_000,
  };
}
