import type { Connection } from 'mongoose';
import { resolve } from 'node:path';
import { createModels, ensureIndexes, type Models, type Role } from '../../models/index.js';
import { recorded } from '../audit/audit-trail.js';
import { createAccessTokens } from '../identity/access-token.js';
import { ensureLocalUser } from '../identity/organizations.js';
import type { Config } from '../config/config.js';
import { refuseNewerData, requireData } from '../storage/data-version.js';
import { connectDatabase } from '../storage/database.js';
import { refuseUnfinishedRestore } from '../storage/unfinished-restore.js';
import { holdsDatabase, openDataDirectory, readRuntime } from '../embedded/data-directory.js';
import { startEngines } from '../embedded/engines.js';
import { StartupError } from '../errors.js';
import { readMongoUri } from '../storage/mongo-uri.js';
import { commandActor, withCommandTrail } from './command-trail.js';
import { requireOrganization, type OrganizationOptions } from './organization-options.js';
import { printErrorLine } from './print.js';
import { localSecretKey } from './secret-key.js';

/** A database that one command uses. */
export interface LocalDatabase {
  readonly connection: Connection;
  readonly models: Models;
  /** True when the database was started for this command, so that no other process can use it. */
  readonly exclusive: boolean;
  close(): Promise<void>;
}

/** How a command connects to its database. */
interface LocalOptions {
  /**
   * True: a data directory without a database gets one.
   * @defaultValue false
   */
  readonly create?: boolean;
  /**
   * Says which database it is.
   * @defaultValue a line on standard error
   */
  readonly say?: (line: string) => void;
}

/** The option of commands that may make the first database of an installation. */
export const createOption = [
  '--create',
  'make a new database when the data directory has none, and no "riskgraph up" runs',
] as const;

/** A connection of one command, to a database that may be empty. */
interface LocalConnection {
  readonly connection: Connection;
  readonly exclusive: boolean;
  close(): Promise<void>;
}

/**
 * Connects to the database of this installation: that of MONGO_URI, else that of the running `up`. Without both it
 * starts the embedded database until the command ends. It says which database that is. A data directory without a
 * database is refused: the `up` of another data directory may be running.
 * @throws StartupError when there is no database
 */
export async function connectLocalDatabase(config: Config, options: LocalOptions = {}): Promise<LocalDatabase> {
  return bind(await openLocalConnection(config, options));
}

/**
 * Connects as `connectLocalDatabase` does, and changes nothing in the database.
 * @throws StartupError when there is no database, or a newer release works on it
 */
export async function openLocalConnection(config: Config, options: LocalOptions = {}): Promise<LocalConnection> {
  const opened = await connect(config, options);
  try {
    await refuseNewerData(opened.connection);
    return opened;
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function connect(
  config: Config,
  { create = false, say = printErrorLine }: LocalOptions,
): Promise<LocalConnection> {
  const path = resolve(config.dataDirectory);
  if (config.mongoUri) {
    say(namedDatabase(config.mongoUri));
    return shared(await connectDatabase(config.mongoUri, { tls: config.mongoTls }));
  }
  const running = (await readRuntime(config.dataDirectory))?.mongoUri;
  if (running) {
    say(`database: that of the running "riskgraph up" in ${path}`);
    return shared(await connectDatabase(running, { tls: config.mongoTls }));
  }
  if (!create && !holdsDatabase(path))
    throw new StartupError(
      `There is no database in ${path}: start "riskgraph up" first, or name the data directory of a running one in ` +
        'DATA_DIRECTORY, or its database in MONGO_URI. ' +
        'The commands token, user create and seed make a new one here with --create.',
    );
  const directory = await openDataDirectory(config.dataDirectory);
  say(`database: the one in ${path}, started for this command`);
  const engines = await startEngines({ dataDirectory: directory.path, redisUrl: config.redisUrl ?? 'redis://unused' });
  const connection = await connectDatabase(engines.mongoUri);
  return {
    connection,
    exclusive: true,
    async close() {
      await connection.close();
      await engines.stop();
      await directory.close();
    },
  };
}

const shared = (connection: Connection): LocalConnection => ({
  connection,
  exclusive: false,
  close: () => connection.close(),
});

/** The database of MONGO_URI, as a command says it: without its login. */
export function namedDatabase(mongoUri: string): string {
  const { hosts = [], database = 'riskgraph' } = readMongoUri(mongoUri) ?? {};
  return `database: ${database} at ${hosts.join(', ')}, named by MONGO_URI`;
}

async function bind({ connection, exclusive, close }: LocalConnection): Promise<LocalDatabase> {
  const models = createModels(connection);
  try {
    await refuseUnfinishedRestore(connection);
    await requireData(connection);
    await ensureIndexes(models);
  } catch (error) {
    await close();
    throw error;
  }
  return { connection, models, exclusive, close };
}

/**
 * Signs a token for the local user of a role, and records it.
 * @throws StartupError in production, where tokens come from a login, and for a missing organization;
 *   ServiceUnavailableError when the signing cannot be recorded
 */
export async function issueLocalToken(
  config: Config,
  models: Models,
  {
    role,
    organization,
    timeToLiveSeconds,
  }: { readonly role: Role; readonly organization: OrganizationOptions; readonly timeToLiveSeconds: number },
): Promise<string> {
  if (config.environment === 'production') {
    throw new StartupError(
      '"riskgraph token" signs tokens without a login and is refused when NODE_ENV=production: unset it on a ' +
        "developer's machine.",
    );
  }
  const secretKey = config.secretKey ?? (await localSecretKey(config.dataDirectory));
  return withCommandTrail(config, models, 'token', async ({ audit }) => {
    const tenant = await requireOrganization(models, organization);
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
