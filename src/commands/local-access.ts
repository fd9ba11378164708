import type { Connection } from 'mongoose';
import { createModels, ensureIndexes, type Models, type Role } from '../../models/index.js';
import { recorded } from '../audit/audit-trail.js';
import { createAccessTokens } from '../identity/access-token.js';
import { ensureLocalUser, ensureOrganization } from '../identity/organizations.js';
import type { Config } from '../config/config.js';
import { claimData } from '../storage/data-version.js';
import { connectDatabase } from '../storage/database.js';
import { openDataDirectory, readRuntime } from '../embedded/data-directory.js';
import { startEngines } from '../embedded/engines.js';
import { StartupError } from '../errors.js';
import { commandActor, withCommandTrail } from './command-trail.js';
import { localSecretKey } from './secret-key.js';

/** A database that one command uses. */
export interface LocalDatabase {
  readonly models: Models;
  /** True when the database was started for this command, so that no other process can use it. */
  readonly exclusive: boolean;
  close(): Promise<void>;
}

/**
 * Connects to the database of this installation: that of MONGO_URI, else that of the running `up`. Without both it
 * starts the embedded database until the command ends.
 */
export async function connectLocalDatabase(config: Config): Promise<LocalDatabase> {
  const uri = config.mongoUri ?? (await readRuntime(config.dataDirectory))?.mongoUri;
  if (uri) return bind(await connectDatabase(uri, { tls: config.mongoTls }), false);
  const directory = await openDataDirectory(config.dataDirectory);
  const engines = await startEngines({ dataDirectory: directory.path, redisUrl: config.redisUrl ?? 'redis://unused' });
  return bind(await connectDatabase(engines.mongoUri), true, async () => {
    await engines.stop();
    await directory.close();
  });
}

async function bind(
  connection: Connection,
  exclusive: boolean,
  stop: () => Promise<void> = async () => undefined,
): Promise<LocalDatabase> {
  const models = createModels(connection);
  try {
    await claimData(connection);
    await ensureIndexes(models);
  } catch (error) {
    await connection.close();
    await stop();
    throw error;
  }
  return {
    models,
    exclusive,
    async close() {
      await connection.close();
      await stop();
    },
  };
}

/**
 * Signs a token for the local user of a role, and records it. A missing organization is created.
 * @throws StartupError in production, where tokens come from a login; ServiceUnavailableError when the signing cannot
 * be recorded
 */
export async function issueLocalToken(
  config: Config,
  models: Models,
  {
    role,
    organization,
    timeToLiveSeconds,
  }: { readonly role: Role; readonly organization: string; readonly timeToLiveSeconds: number },
): Promise<string> {
  if (config.environment === 'production') {
    throw new StartupError(
      '"riskgraph token" signs tokens without a login and is refused when NODE_ENV=production: unset it on a ' +
        "developer's machine.",
    );
  }
  const secretKey = config.secretKey ?? (await localSecretKey(config.dataDirectory));
  return withCommandTrail(config, models, 'token', async ({ audit }) => {
    const tenant = await ensureOrganization(models, organization);
    const organizationId = tenant._id.toHexString();
    const { _id, username } = await ensureLocalUser(models, tenant, role);
    return recorded(
      audit,
      commandActor(organizationId),
      { action: 'access-token:issue', subject: { kind: 'USER', id: _id.toHexString() } },
      () => createAccessTokens(secretKey).sign({ username, role, organizationId }, timeToLiveSeconds),
    );
  });
}
