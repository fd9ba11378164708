import { StartupError } from '../errors.js';
import { deriveMasterKey, parseMasterKeys, type MasterKey } from '../protection/master-keys.js';
import { oidcIssues, readOidcSettings, type OidcSettings } from './oidc-settings.js';
import { productionIssues } from './production-checks.js';
import { environmentSchema, valuesByKey, type SettingValues } from './settings.js';
import { tlsIssues } from './tls-issues.js';

/** Settings whose value is made of more than their own text. */
interface DerivedSettings {
  /**
   * Wrap the data keys of the organizations; the first one wraps new data keys. Outside production the one that is derived
   * from `secretKey` comes last. Empty where neither was given, which is never in production.
   */
  readonly masterKeys: readonly MasterKey[];
  /** Undefined: only our own tokens are accepted. */
  readonly oidc: OidcSettings | undefined;
  readonly operationTimeoutMs: number;
}

/** Settings of one process. src/config/settings.ts has the table that it is made from, with the meaning of each. */
export type Config = Omit<SettingValues, 'encryptionKeys' | 'oidc' | 'operationTimeoutSeconds'> & DerivedSettings;

/** The most that one query may ask for. src/http/query-limits.ts says what each counts and why that much. */
export type QueryLimits = Config['queryLimits'];

/** Requests per minute, over all API processes together. */
export type RateLimits = Config['rateLimits'];

/** The most that is open at once in one API process. */
export type SocketLimits = Config['socketLimits'];

/** Text of the environment, by variable. */
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The master keys of an environment, and the issues of their form. Whether they are strong enough for production is a
 * check of its own.
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

/** The issues of a production start. Each setting is read alone, so that a mistake in another one does not hide them. */
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
 * @param env usually `process.env`; empty strings count as unset
 * @throws StartupError naming every variable that is wrong, and what it accepts
 */
export function loadConfig(env: Environment): Config {
  const given: Environment = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environmentSchema.safeParse(given);
  const { keys: masterKeys, issues: keyIssues } = readMasterKeys(given);
  const issues = [
    ...(parsed.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []),
    ...oidcIssues(given),
    ...tlsIssues(given),
    ...(given.NODE_ENV === 'production' ? issuesInProduction(given) : []),
    ...keyIssues,
  ];
  if (!parsed.success || issues.length > 0) throw new StartupError(`Configuration: ${issues.join('; ')}`);
  // Settings that are not handed on as they are: the encryption keys as text would be one more copy of a secret.
  const { encryptionKeys: _, oidc, operationTimeoutSeconds, ...values } = valuesByKey(parsed.data);
  return {
    ...values,
    masterKeys,
    oidc: readOidcSettings(oidc),
    operationTimeoutMs: operationTimeoutSeconds * 1_000,
  };
}
