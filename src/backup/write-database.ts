import { createHash } from 'node:crypto';
import { mongo, type Connection } from 'mongoose';
import { StartupError } from '../errors.js';
import { unfinishedRestore } from '../storage/unfinished-restore.js';
import type { BackupManifest } from './manifest.js';
import { documentsOf } from './read-database.js';
import { collectionOfFolder } from './reading-order.js';

const dataKeys = 'data_keys';

/** Documents per insert. The driver splits them further by size. */
const documentsAtOnce = 1_000;

/**
 * Values are written as they were read: a whole number that was stored as a double stays one.
 * https://mongodb.github.io/node-mongodb-native/7.0/interfaces/BSON.DeserializeOptions.html
 */
const exactly = { promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true } as const;

/** Nothing counts until the last write of a restore, which waits for the journal and so for all writes before it. */
const unjournaled = { writeConcern: { w: 1, j: false } } as const;

/**
 * Makes sure that a restore writes into an empty database. One that holds a part of a backup only is emptied.
 * @throws StartupError for a database with documents
 */
export async function requireEmpty(database: Connection): Promise<void> {
  const db = database.db!;
  if ((await unfinishedRestore(database)) !== undefined) await db.dropDatabase();
  const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
  for (const name of names.filter((found) => found !== 'health' && !found.startsWith('system.'))) {
    if (await db.collection(name).findOne({}, { projection: { _id: 1 } }))
      throw new StartupError(
        `The database ${db.databaseName} is not empty: a backup is restored into an empty one only. Name another ` +
          'database in MONGO_URI, or another folder in DATA_DIRECTORY, and start with that one afterwards.',
      );
  }
}

/**
 * Gives the writer of one restore. It takes the documents of each folder of an archive, in the order of the archive.
 * In the second reading of a collection, a document that is there is replaced.
 */
export function createDocumentWriter(
  database: Connection,
): (folder: string, documents: readonly Uint8Array[]) => Promise<void> {
  /** The folder of the latest reading of each collection, and those that were read before. */
  const latest = new Map<string, string>();
  const again = new Set<string>();
  return async (folder, documents) => {
    const name = collectionOfFolder(folder);
    const collection = database.db!.collection(name, unjournaled);
    const before = latest.get(name);
    latest.set(name, folder);
    if (before !== undefined && before !== folder) {
      again.add(name);
      // A key that is in the first reading alone was retired meanwhile. An organization has one active key.
      if (name === dataKeys) await collection.updateMany({}, { $set: { state: 'RETIRED', retiredAt: new Date() } });
    }
    for (let start = 0; start < documents.length; start += documentsAtOnce) {
      const some = documents
        .slice(start, start + documentsAtOnce)
        .map((bytes) => mongo.BSON.deserialize(bytes, exactly) as mongo.Document & { _id: mongo.ObjectId });
      if (!again.has(name)) await collection.insertMany(some, { ordered: false });
      else
        await collection.bulkWrite(
          some.map((replacement) => ({ replaceOne: { filter: { _id: replacement._id }, replacement, upsert: true } })),
        );
    }
  };
}

/**
 * Compares the restored collections with the manifest, document by document. Those that were read twice are left out.
 * @throws StartupError naming the collection that differs
 */
export async function compareWithManifest(database: Connection, { collections }: BackupManifest): Promise<void> {
  const names = collections.map(({ folder }) => collectionOfFolder(folder));
  for (const { folder, documents, sha256 } of collections) {
    const name = collectionOfFolder(folder);
    if (names.filter((other) => other === name).length > 1) continue;
    const hash = createHash('sha256');
    let count = 0;
    for await (const document of documentsOf(database, name)) {
      hash.update(document);
      count += 1;
    }
    if (count !== documents || hash.digest('hex') !== sha256)
      throw new StartupError(`The collection ${name} is not restored as the backup has it: ${count} of ${documents}.`);
  }
}
