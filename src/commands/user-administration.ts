import type { User } from '../../models/index.js';
import { auditKeys, createAuditTrail } from '../audit/audit-writer.js';
import type { AuditActor } from '../audit/audit-trail.js';
import { createPasswords } from '../identity/passwords/passwords.js';
import { createRevocationEpochs } from '../identity/revocation/revocation-epoch.js';
import { createRevocationStore } from '../identity/revocation/revocation-store.js';
import type { Revoke } from '../identity/revocation/revocations.js';
import { createSessionStore } from '../identity/sessions/session-store.js';
import { createUserDirectory, type UserDirectory } from '../identity/users/user-directory.js';
import { normalizeUsername } from '../identity/users/username.js';
import type { Config } from '../config/config.js';
import { StartupError } from '../errors.js';
import { createLogger } from '../process/logger.js';
import { createOrganizationScopes, type OrganizationScope } from '../scope/organization-scope.js';
import { startProtection } from '../protection/start-protection.js';
import { commandActor } from './command-trail.js';
import { connectLocalDatabase } from './local-access.js';
import { requireOrganization } from './organization-options.js';
import { localMasterKeys } from './secret-key.js';
import { withRedis } from './with-redis.js';

/** The users of one organization, for an operator who has the database's password. */
export interface UserAdministration {
  readonly directory: UserDirectory;
  readonly scope: OrganizationScope;
  readonly actor: AuditActor;
  /** Lists the users by name, and records that they were listed. */
  users(): Promise<User[]>;
  /** Finds a user. @throws StartupError when there is no such user */
  user(username: string): Promise<User>;
  close(): Promise<void>;
}

/** The organization whose users are administered. */
export interface ChosenOrganization {
  readonly org: string;
  /** True: a missing organization is made. */
  readonly createOrg?: boolean;
  /** True: a missing database is made. */
  readonly create?: boolean;
}

/**
 * Connects to the database of this installation, to administer the users of one organization.
 * @throws StartupError when there is no such organization, or the master keys are missing
 */
export async function startUserAdministration(
  config: Config,
  { org: slug, createOrg, create }: ChosenOrganization,
): Promise<UserAdministration> {
  const database = await connectLocalDatabase(config, { create });
  try {
    const { models } = database;
    const organization = await requireOrganization(models, { org: slug, createOrg });
    const organizationId = organization._id.toHexString();
    const { protectionOf } = await startProtection({ models, masterKeys: await localMasterKeys(config) });
    const scopeOf = createOrganizationScopes(models, protectionOf);
    const scope = scopeOf({ organizationId });
    const store = createRevocationStore(models);
    const revoke: Revoke = async (id, subjects) => announce(config, (await store.record(id, subjects)).epoch);
    const audit = createAuditTrail({
      models,
      keyOf: auditKeys(protectionOf),
      logger: createLogger('warn', 'riskgraph-user'),
    });
    const directory = createUserDirectory({
      passwords: createPasswords(),
      sessions: createSessionStore(models, scopeOf, revoke, config.sessionHours * 3_600_000),
      audit,
    });
    const actor = commandActor(organizationId);
    return {
      directory,
      scope,
      actor,
      async users() {
        const users = await scope.users.find({}, { sort: { username: 1 } });
        await audit.record(actor, { action: 'user:manage', outcome: 'ALLOWED' });
        return users;
      },
      async user(username) {
        const user = await scope.users.findOne({ username: normalizeUsername(username) });
        if (!user)
          throw new StartupError(
            `There is no user "${normalizeUsername(username)}" in ${slug}: see "riskgraph user list --org ${slug}".`,
          );
        return user;
      },
      async close() {
        await audit.close();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/**
 * Tells the running processes of a revocation. Without Redis none is running: a process reads MongoDB when it starts.
 */
async function announce(config: Config, epoch: number): Promise<void> {
  await withRedis(config, async (redis) => {
    if (await createRevocationEpochs(redis, config.redisPrefix).announce(epoch)) return;
    process.stderr.write('Redis does not answer: running processes will learn of this change within a second.\n');
  });
}
