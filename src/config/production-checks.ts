import { readMongoUri } from '../storage/mongo-uri.js';
import { masterKeyWeakness, parseMasterKeys } from '../protection/master-keys.js';
import { isLoopback, isPublicHost } from '../net/public-host.js';

/** The settings that a production start checks, as the texts of their variables. */
interface CheckedSettings {
  readonly secretKey: string | undefined;
  readonly encryptionKeys: string | undefined;
  readonly mongoUri: string | undefined;
  readonly redisUrl: string | undefined;
  readonly corsOrigins: readonly string[];
  readonly oidcIssuer: string | undefined;
  readonly oidcOrganizations: string | undefined;
}

/**
 * The checks of a deployment that will hold patient data, by the name under which an operator may waive each. A check
 * gives the danger and its remedy, or undefined when there is no danger.
 */
const checks = {
  'weak-secret-key': ({ secretKey }) => {
    const weakness = secretKey && secretKeyWeakness(secretKey);
    return weakness && `SECRET_KEY ${weakness}: ${randomKey}`;
  },
  'wildcard-cors': ({ corsOrigins }) =>
    corsOrigins.includes('*')
      ? 'CORS_ORIGINS is *, which lets the pages of every site call the API: list the origins of your own pages'
      : undefined,
  'plaintext-mongodb': ({ mongoUri }) => {
    const host = mongoUri && plaintextMongoHost(mongoUri);
    return (
      host &&
      `MONGO_URI names the public host ${host} without verified TLS, ` +
        'so patient data would cross the Internet unencrypted: add tls=true'
    );
  },
  'mongodb-without-password': ({ mongoUri }) => {
    const parsed = mongoUri === undefined ? undefined : readMongoUri(mongoUri);
    if (!parsed || parsed.authenticated || parsed.hosts.every(isLoopback)) return undefined;
    return (
      'MONGO_URI has no password, so every program that reaches that host could read and change all data: ' +
      'switch on authentication in MongoDB, and use mongodb://USER:PASSWORD@host'
    );
  },
  'plaintext-redis': ({ redisUrl }) => {
    if (!redisUrl?.startsWith('redis://') || !isPublicHost(redisHost(redisUrl))) return undefined;
    return (
      `REDIS_URL names the public host ${redisHost(redisUrl)} without TLS, ` +
      'so its password would cross the Internet unencrypted: use rediss://'
    );
  },
  'redis-without-password': ({ redisUrl }) => {
    if (!redisUrl || hasPassword(redisUrl) || isLoopback(redisHost(redisUrl))) return undefined;
    return (
      'REDIS_URL has no password, so every program that reaches that host could submit and change jobs: ' +
      'set requirepass in Redis, and use redis://:PASSWORD@host'
    );
  },
  'oidc-without-organizations': ({ oidcIssuer, oidcOrganizations }) =>
    oidcIssuer !== undefined && oidcOrganizations === undefined
      ? 'OIDC_ISSUER may speak for every organization, so the identity provider of one could let its users ' +
        'into another: list its own organizations in OIDC_ORGANIZATIONS'
      : undefined,
  'missing-encryption-keys': ({ encryptionKeys }) =>
    encryptionKeys === undefined
      ? `ENCRYPTION_KEYS is not set, so SECRET_KEY would have to encrypt patients too: ${encryptionKey}`
      : undefined,
  'weak-encryption-keys': ({ encryptionKeys, secretKey }) => {
    const weaknesses =
      encryptionKeys === undefined
        ? []
        : parseMasterKeys(encryptionKeys).keys.flatMap((key) => masterKeyWeakness(key, secretKey) ?? []);
    return weaknesses[0] && `ENCRYPTION_KEYS holds a key that ${weaknesses[0]}: ${encryptionKey}`;
  },
} as const satisfies Record<string, (settings: CheckedSettings) => string | undefined>;

type SettingCheck = keyof typeof checks;
type WaivableCheck = SettingCheck | 'evicting-redis';

const settingChecks = Object.keys(checks) as [SettingCheck, ...SettingCheck[]];

/** Every name that WAIVED_CHECKS may hold. Redis itself is asked for the last one, when a process connects to it. */
export const waivableChecks: readonly [WaivableCheck, ...WaivableCheck[]] = [...settingChecks, 'evicting-redis'];

const randomKey = 'set it to a random one, e.g. the output of "openssl rand -base64 48"';
const encryptionKey =
  'set it to "id:key", e.g. the id "2025-1" and the output of "openssl rand -hex 32", ' +
  'and keep a copy apart from the backups: without it the patients cannot be read';

/**
 * Gives the reasons to refuse a production start, one line each; empty when the process may start.
 * @param waived checks whose risk the operator accepts. A missing SECRET_KEY cannot be waived: nothing works without it
 */
export function productionIssues(settings: CheckedSettings, waived: readonly WaivableCheck[]): string[] {
  const missing = settings.secretKey === undefined ? [`SECRET_KEY is not set: ${randomKey}`] : [];
  const failed = settingChecks.flatMap((name) => {
    const issue = waived.includes(name) ? undefined : checks[name](settings);
    return issue ? [`${issue}, or waive it with WAIVED_CHECKS=${name}`] : [];
  });
  return [...missing, ...failed];
}

const commonSecrets = /^(secret|change-?me|password|default|test|example|development|riskgraph)/i;

/** Gives the reason why a key is too weak to sign tokens in production, or undefined when it is strong enough. */
function secretKeyWeakness(key: string): string | undefined {
  if (key.length < 32) return 'is shorter than 32 characters';
  if (new Set(key).size < 10) return 'has fewer than 10 different characters';
  if (commonSecrets.test(key)) return 'looks like a default';
  return undefined;
}

/** Finds the first public host that a MongoDB URI would reach without TLS, or with TLS that accepts any certificate. */
function plaintextMongoHost(uri: string): string | undefined {
  const parsed = readMongoUri(uri);
  // A URI that cannot be read is refused by its setting.
  if (!parsed || (parsed.encrypted && parsed.verified)) return undefined;
  return parsed.hosts.find(isPublicHost);
}

const redisHost = (url: string): string => (URL.canParse(url) ? new URL(url).hostname : '');

const hasPassword = (url: string): boolean => URL.canParse(url) && new URL(url).password !== '';
