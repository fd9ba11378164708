import mongoose, { type Connection } from 'mongoose';
import { ServiceUnavailableError, StartupError } from '../errors.js';
import { readTlsFiles, type TlsFiles } from './tls-files.js';

/** How long an operation may wait for a MongoDB server before the caller is told SERVICE_UNAVAILABLE. */
const serverSelectionTimeoutMs = 3_000;

export interface DatabaseOptions {
  /** Default: the database of the URI's path, or `riskgraph`. */
  readonly name?: string;
  /** For a URI that asks for TLS. */
  readonly tls?: TlsFiles;
}

/**
 * Opens a connection of its own. Every write waits for the journal, and in a replica set for a majority: an
 * acknowledged write survives the death of any process.
 * @throws ServiceUnavailableError when no server answers within the time, StartupError when URI, login or certificate are wrong
 */
export async function connectDatabase(uri: string, options: DatabaseOptions = {}): Promise<Connection> {
  const connection = await connect(uri, options, { w: 'majority', j: true });
  const replicated = await isReplicated(connection).catch(async (error: unknown) => {
    await connection.close();
    throw error;
  });
  if (replicated) return connection;
  await connection.close();
  // A server that stands alone is its own majority. The embedded engine acknowledges `majority` before the journal, 1 after it.
  return connect(uri, options, { w: 1, j: true });
}

/** Whether it is a replica set, or the router of a sharded cluster. */
async function isReplicated(connection: Connection): Promise<boolean> {
  const { setName, msg } = await connection
    .db!.admin()
    .command({ hello: 1 })
    .catch((error: unknown) => {
      throw connectionError(error);
    });
  return setName !== undefined || msg === 'isdbgrid';
}

async function connect(
  uri: string,
  options: DatabaseOptions,
  writeConcern: { readonly w: number | 'majority'; readonly j: true },
): Promise<Connection> {
  const connection = mongoose.createConnection(uri, {
    dbName: options.name ?? databaseName(uri),
    writeConcern,
    serverSelectionTimeoutMS: serverSelectionTimeoutMs,
    connectTimeoutMS: serverSelectionTimeoutMs,
    socketTimeoutMS: 30_000,
    bufferCommands: false,
    autoIndex: false,
    autoCreate: false,
    maxPoolSize: 50,
    ...readTlsFiles(options.tls ?? {}, 'MONGO'),
  });
  try {
    return await connection.asPromise();
  } catch (error) {
    await connection.destroy().catch(() => undefined);
    throw connectionError(error);
  }
}

/** Driver messages may quote the URI with its password: name the kind of fault instead. */
function connectionError(error: unknown): Error {
  const { name, code, message = '' } = error as { name?: string; code?: unknown; message?: string };
  if (name === 'MongoParseError' || name === 'MongoInvalidArgumentError' || name === 'MongoAPIError') {
    return new StartupError(
      'MONGO_URI is not a valid MongoDB URI: see https://www.mongodb.com/docs/manual/reference/connection-string/.',
    );
  }
  if (code === 18)
    return new StartupError('MongoDB refused the login: check user, password and authSource in MONGO_URI.');
  if (/certificate|altnames/i.test(message)) {
    return new StartupError(
      "MongoDB's certificate was refused: check that MONGO_TLS_CA_FILE holds the authority that signed it, and that MONGO_URI names the host as the certificate does.",
    );
  }
  return new ServiceUnavailableError('MongoDB does not answer: check that it runs and that MONGO_URI names it.', {
    cause: error,
  });
}

/** The database of the URI's path, or `riskgraph`. */
function databaseName(uri: string): string {
  return /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]+)/.exec(uri)?.[1] ?? 'riskgraph';
}

const outageNames = new Set([
  'MongoServerSelectionError',
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoPoolClearedError',
  'MongoWaitQueueTimeoutError',
  'MongooseServerSelectionError',
  'MongoOperationTimeoutError',
]);

/**
 * The server is no longer the primary, or shuts down. The driver marks these only on writes that it would repeat itself.
 * https://github.com/mongodb/specifications/blob/master/source/retryable-writes/retryable-writes.md
 */
const failoverCodes: ReadonlySet<unknown> = new Set([91, 189, 10107, 11600, 11602, 13435, 13436]);

/** Whether the error says that MongoDB is away, rather than that we asked for something wrong. */
export function isDatabaseOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // A bulk that broke off before the server could answer has no code of the server's.
  if (error.name === 'MongoBulkWriteError' && typeof (error as { code?: unknown }).code !== 'number') return true;
  const notConnected = error.name === 'MongooseError' && /initial connection|bufferCommands/.test(error.message);
  return (
    outageNames.has(error.name) ||
    failoverCodes.has((error as { code?: unknown }).code) ||
    notConnected ||
    ('hasErrorLabel' in error && isRetryable(error))
  );
}

function isRetryable(error: object): boolean {
  const { hasErrorLabel } = error as { hasErrorLabel?: (label: string) => boolean };
  return typeof hasErrorLabel === 'function' && hasErrorLabel.call(error, 'RetryableWriteError');
}

/** What MongoDB gives one read of a caller's before it gives it up, milliseconds. Less than the driver waits for an answer. */
export const slowestReadMs = 20_000;
/** The same of one that goes through any number of documents. */
export const slowestScanMs = 60_000;

/** Whether MongoDB gave up what took longer than it was given. https://www.mongodb.com/docs/manual/reference/error-codes/ */
export function isReadTimeout(error: unknown): boolean {
  const maxTimeExpired = 50;
  return error instanceof Error && (error as { code?: unknown }).code === maxTimeExpired;
}

/** Whether a unique index refused the write. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === 11000;
}
