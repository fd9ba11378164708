import mongoose, { type Connection } from 'mongoose';
import { ServiceUnavailableError, StartupError } from '../errors.js';
import { failUnwrittenCommands } from './ended-connections.js';
import { readMongoUri } from './mongo-uri.js';
import { readTlsFiles, type TlsFiles } from './tls-files.js';

/** Milliseconds that an operation may wait for a MongoDB server before the caller gets SERVICE_UNAVAILABLE. */
const serverSelectionTimeoutMs = 3_000;

interface DatabaseOptions {
  /** @defaultValue the database of the URI's path, or `riskgraph` */
  readonly name?: string;
  /** Files for a URI that asks for TLS. */
  readonly tls?: TlsFiles;
}

/**
 * Connects to MongoDB. Every write waits for the journal and, in a replica set, for a majority: an acknowledged write
 * survives the end of any process.
 * 1. It connects with the write concern of a replica set.
 * 2. It asks the server if it is one.
 * 3. If it is not, it connects again, with the write concern of a single server.
 * @throws ServiceUnavailableError when no server answers in time
 * @throws StartupError when URI, login or certificate are wrong
 */
export async function connectDatabase(uri: string, options: DatabaseOptions = {}): Promise<Connection> {
  const connection = await connect(uri, options, { w: 'majority', j: true });
  const replicated = await isReplicated(connection).catch(async (error: unknown) => {
    await connection.close();
    throw error;
  });
  if (replicated) return connection;
  await connection.close();
  // A single server is its own majority. The embedded engine acknowledges `majority` before the journal, and 1 after
  // it.
  return connect(uri, options, { w: 1, j: true });
}

/** Tells whether the server is a member of a replica set, or the router of a sharded cluster. */
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
  failUnwrittenCommands();
  const connection = mongoose.createConnection(uri, {
    dbName: options.name ?? readMongoUri(uri)?.database ?? 'riskgraph',
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

/**
 * Makes an error that is safe to show. Driver messages may quote the URI with its password, so only the kind of error
 * is named.
 */
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
      "MongoDB's certificate was refused: check that MONGO_TLS_CA_FILE holds the authority that signed it, " +
        'and that MONGO_URI names the host as the certificate does.',
    );
  }
  return new ServiceUnavailableError('MongoDB does not answer: check that it runs and that MONGO_URI names it.', {
    cause: error,
  });
}

const outageNames = new Set([
  'MongoServerSelectionError',
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoWaitQueueTimeoutError',
  'MongooseServerSelectionError',
  'MongoOperationTimeoutError',
]);

/**
 * Codes of a server that is no longer the primary, or shuts down. The driver labels these errors only on writes that it
 * would repeat itself.
 * https://github.com/mongodb/specifications/blob/master/source/retryable-writes/retryable-writes.md
 */
const failoverCodes: ReadonlySet<unknown> = new Set([91, 189, 10107, 11600, 11602, 13435, 13436]);

/**
 * Codes of a connection that broke while the driver wrote to it. The driver passes some of them on as they are.
 * https://nodejs.org/api/errors.html#common-system-errors
 */
const brokenConnectionCodes: ReadonlySet<unknown> = new Set([
  'EPIPE',
  'ECONNRESET',
  'ECONNREFUSED',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
]);

/**
 * Codes of a cursor that the server no longer has: it was started again, or ended what was under way. The read can be
 * done again from its beginning. https://www.mongodb.com/docs/manual/reference/error-codes/
 */
const lostCursorCodes: ReadonlySet<unknown> = new Set([43, 237]);

/** The code of MongoDB for a disk without room. https://www.mongodb.com/docs/manual/reference/error-codes/ */
const outOfDiskSpace = 14_031;

/** Tells whether an error means that the disk of MongoDB, or of this process, is full. */
export function isDiskFull(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return code === outOfDiskSpace || code === 'ENOSPC' || code === 'EDQUOT';
}

/** Tells whether the driver, or mongoose, has made an error. */
export const isDriverError = (error: unknown): boolean =>
  error instanceof mongoose.mongo.MongoError || error instanceof mongoose.Error;

/** Tells whether an error means that MongoDB is away, rather than that our request was wrong. */
export function isDatabaseOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // A bulk write that broke off before the server answered has no code of the server.
  if (error.name === 'MongoBulkWriteError' && typeof (error as { code?: unknown }).code !== 'number') return true;
  const notConnected = error.name === 'MongooseError' && /initial connection|bufferCommands/.test(error.message);
  return (
    error instanceof mongoose.mongo.MongoNetworkError ||
    outageNames.has(error.name) ||
    failoverCodes.has((error as { code?: unknown }).code) ||
    lostCursorCodes.has((error as { code?: unknown }).code) ||
    brokenConnectionCodes.has((error as { code?: unknown }).code) ||
    notConnected ||
    ('hasErrorLabel' in error && isRetryable(error))
  );
}

function isRetryable(error: object): boolean {
  const { hasErrorLabel } = error as { hasErrorLabel?: (label: string) => boolean };
  return typeof hasErrorLabel === 'function' && hasErrorLabel.call(error, 'RetryableWriteError');
}

/** Milliseconds after which MongoDB gives up one read for a caller. It is less than the driver's wait for an answer. */
export const slowestReadMs = 20_000;
/** Milliseconds that an item may wait for the groups before it (group-commit.ts), while MongoDB stands still. */
export const longestWaitMs = 20_000;
/** Milliseconds after which MongoDB gives up a read of any number of documents. */
export const slowestScanMs = 60_000;

/**
 * Tells whether MongoDB gave up a read because it took too long.
 * https://www.mongodb.com/docs/manual/reference/error-codes/
 */
export function isReadTimeout(error: unknown): boolean {
  const maxTimeExpired = 50;
  return error instanceof Error && (error as { code?: unknown }).code === maxTimeExpired;
}

/** Tells whether a unique index refused the write. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === duplicateKeyCode;
}

/** The code of MongoDB for a document that a unique index refuses. */
export const duplicateKeyCode = 11_000;

/**
 * Writes to MongoDB: one document of all processes, again and again.
 * @returns the time of the write, by MongoDB's clock
 */
export async function writeProbe(database: Connection): Promise<Date> {
  const probe = await database
    .collection<{ _id: string; writtenAt: Date }>('health')
    .findOneAndUpdate({ _id: 'probe' }, [{ $set: { writtenAt: '$$NOW' } }], { upsert: true, returnDocument: 'after' });
  return probe!.writtenAt;
}

/**
 * Opens a connection of its own, and asks the server for a sign of life.
 * @returns whether it came
 */
export async function answersNewConnection(uri: string, options: DatabaseOptions = {}): Promise<boolean> {
  const connection = await connect(uri, options, { w: 1, j: true }).catch(() => undefined);
  if (!connection) return false;
  const answered = await connection
    .db!.admin()
    .ping()
    .then(
      () => true,
      () => false,
    );
  await connection.close().catch(() => undefined);
  return answered;
}
