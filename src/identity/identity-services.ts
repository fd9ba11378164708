import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Models } from '../../models/index.js';
import type { AuditTrail } from '../audit/audit-trail.js';
import type { EventBus } from '../events/event-bus.js';
import type { ScopeOf } from '../scope/organization-scope.js';
import { whenReady } from '../storage/redis.js';
import type { AccessTokens } from './access-token.js';
import { createApiKeyService, type ApiKeyService } from './api-keys/api-key-service.js';
import { createApiKeyVerifier } from './api-keys/api-key-verifier.js';
import { createAuthenticator, type Authenticator } from './authenticator.js';
import type { OidcSettings } from '../config/oidc-settings.js';
import { discoverEndSession } from './oidc/end-session.js';
import { createOidcVerifier } from './oidc/oidc-verifier.js';
import { createPasswords, type Passwords } from './passwords/passwords.js';
import { createRevocationEpochs } from './revocation/revocation-epoch.js';
import { createRevocationStore } from './revocation/revocation-store.js';
import { refuseOlderData } from './revocation/refuse-older-data.js';
import { createRevocations, type Revocations } from './revocation/revocations.js';
import { createLoginThrottle } from './sessions/login-throttle.js';
import { createPasswordLogin } from './sessions/password-login.js';
import { createSessionService, type SessionService } from './sessions/session-service.js';
import { createSessionStore } from './sessions/session-store.js';
import { createUserSessions, type UserSessions } from './sessions/user-sessions.js';
import { createUserDirectory } from './users/user-directory.js';
import { createUserService, type UserService } from './users/user-service.js';

/** All services of identity: they check credentials, issue them and revoke them. */
export interface IdentityServices {
  readonly authenticator: Authenticator;
  readonly revocations: Revocations;
  readonly sessions: SessionService;
  readonly userSessions: UserSessions;
  readonly users: UserService;
  readonly apiKeys: ApiKeyService;
  readonly passwords: Passwords;
  /** The address at which the identity provider ends its own session. Undefined without one, or before it is known. */
  readonly providerEndSession: () => string | undefined;
  /**
   * Reads the revocations and begins to follow them. Call it before the first request. A second call does nothing.
   * @throws StartupError when MongoDB is older than what Redis has seen
   */
  start(): Promise<void>;
  /** Stops following revocations, then closes the connection to Redis. */
  close(): Promise<void>;
}

interface IdentityDependencies {
  readonly models: Models;
  readonly scopeOf: ScopeOf;
  readonly accessTokens: AccessTokens;
  readonly audit: AuditTrail;
  readonly events: EventBus;
  readonly logger: Logger;
  /** A connection whose commands fail at once while Redis is away. `close` closes it. */
  readonly redis: Redis;
  /** Secret key of 256 bits, from which refresh tokens follow. The same in all processes. */
  readonly refreshKey: Buffer;
  readonly settings: IdentitySettings;
}

interface IdentitySettings {
  readonly redisPrefix: string;
  readonly accessTokenMinutes: number;
  readonly sessionHours: number;
  readonly oidc: OidcSettings | undefined;
}

/** Connects the parts of identity with each other. */
export function createIdentityServices(dependencies: IdentityDependencies): IdentityServices {
  const { models, scopeOf, accessTokens, audit, events, logger, redis, refreshKey, settings } = dependencies;
  const revocationStore = createRevocationStore(models);
  const epochs = createRevocationEpochs(redis, settings.redisPrefix);
  const revocations = createRevocations({
    store: revocationStore,
    epochs,
    events,
    logger,
  });
  const { revoke } = revocations;
  const passwords = createPasswords();
  const store = createSessionStore(models, scopeOf, revoke, settings.sessionHours * 3_600_000);
  const passwordLogin = createPasswordLogin({
    models,
    scopeOf,
    passwords,
    throttle: createLoginThrottle(redis, settings.redisPrefix),
    audit,
    logger,
  });
  const sessions = createSessionService({
    scopeOf,
    store,
    passwordLogin,
    passwords,
    accessTokens,
    audit,
    accessTokenSeconds: settings.accessTokenMinutes * 60,
    refreshKey,
  });
  const directory = createUserDirectory({ passwords, sessions: store, audit });
  const oidc = settings.oidc && createOidcVerifier(settings.oidc, models, logger);
  const providerEndSession = endSessionOf(settings.oidc, logger);
  return {
    authenticator: createAuthenticator({
      accessTokens,
      apiKeys: createApiKeyVerifier(models, logger),
      oidc,
      revocations,
    }),
    revocations,
    sessions,
    userSessions: createUserSessions({ scopeOf, store, audit }),
    users: createUserService({ scopeOf, directory, sessions, passwordLogin, audit }),
    apiKeys: createApiKeyService({ scopeOf, revoke, audit }),
    passwords,
    providerEndSession,
    async start() {
      // Without Redis, each process would count the first login attempts alone, in its own memory.
      await whenReady(redis);
      await refuseOlderData(revocationStore, epochs);
      await revocations.start();
      // The first call only begins to read the metadata of the provider.
      providerEndSession();
    },
    async close() {
      await revocations.close();
      redis.disconnect();
    },
  };
}

/** Only the console sends users to the provider, so without its client there is nothing to know. */
function endSessionOf(oidc: OidcSettings | undefined, logger: Logger): () => string | undefined {
  if (!oidc?.clientId) return () => undefined;
  return oidc.endSessionEndpoint ? () => oidc.endSessionEndpoint : discoverEndSession(oidc.issuer, logger);
}
