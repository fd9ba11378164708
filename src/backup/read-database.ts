/*
 * The entries of an archive, read from a database while processes work on it. Step by step:
 * 1. The header: time, release, version of the data, ids of the master keys.
 * 2. Files that are not in the database: settings without secrets, bundles of models.
 * 3. The collections in their order (reading-order.ts). Documents stay in BSON as MongoDB sends them, and are gathered to
 *    files of some megabytes.
 * 4. The manifest: for each reading, the number of documents and their hash.
 */
import { createHash } from 'node:crypto';
import type { Connection } from 'mongoose';
import type { Models } from '../../models/index.js';
import { packageVersion } from '../process/package-root.js';
import type { ArchiveEntry } from './archive.js';
import { documentsFolder, headerFile, manifestFile, toJson, type CollectionContent } from './manifest.js';
import { readingsOf } from './reading-order.js';

/** Bytes from which documents are put into a file. A document has at most 16 MB. */
const fileBytes = 4 * 1024 * 1024;

/** The database to read, and a function that is told of the progress. */
interface DatabaseReading {
  readonly connection: Connection;
  readonly models: Models;
  /** Name of the archive. */
  readonly name: string;
  readonly begunAt: Date;
  /** Version of the stored data. */
  readonly dataVersion: number;
  /** Files that are not in the database. */
  readonly files: readonly ArchiveEntry[];
  /** Gets the number of documents so far, and about how many there are. */
  readonly onProgress?: (documents: number, total: number) => void;
}

/** Reads a database as the entries of an archive. */
export async function* readDatabase(reading: DatabaseReading): AsyncGenerator<ArchiveEntry> {
  const { connection, models, name, begunAt, dataVersion, files, onProgress = () => undefined } = reading;
  yield {
    name: headerFile,
    bytes: toJson({
      name,
      begunAt,
      release: packageVersion(),
      dataVersion,
      masterKeys: (await models.dataKeys.distinct('masterKey')).sort(),
    }),
  };
  yield* files;
  const present = (await connection.db!.listCollections({}, { nameOnly: true }).toArray()).map((found) => found.name);
  const readings = readingsOf(models, present);
  const total = await countDocuments(
    connection,
    readings.map(({ collectionName }) => collectionName),
  );
  let before = 0;
  const collections: CollectionContent[] = [];
  let auditEnds: ChainEnds | undefined;
  for (const { folder, collectionName } of readings) {
    const isAudit = collectionName === auditCollection;
    const documents = isAudit && auditEnds ? eventsSince(models, auditEnds) : documentsOf(connection, collectionName);
    if (isAudit) auditEnds ??= await endsOf(models);
    const content = yield* toFiles(documents, folder, (done) => onProgress(before + done, total));
    before += content.documents;
    collections.push(content);
  }
  onProgress(before, before);
  yield { name: manifestFile, bytes: toJson({ endedAt: new Date(), collections }) };
}

async function countDocuments({ db }: Connection, names: readonly string[]): Promise<number> {
  const counts = await Promise.all(names.map((name) => db!.collection(name).estimatedDocumentCount()));
  return counts.reduce((sum, count) => sum + count, 0);
}

const auditCollection = 'audit_events';

/** The last sequence number of each audit chain, by the hexadecimal id of the organization. */
type ChainEnds = ReadonlyMap<string, number>;

async function endsOf({ auditEvents }: Models): Promise<ChainEnds> {
  const ends = new Map<string, number>();
  for (const organization of await auditEvents.distinct('organization')) {
    const last = await auditEvents.findOne({ organization }, { sequence: 1 }).sort({ sequence: -1 }).lean();
    ends.set(organization.toHexString(), last?.sequence ?? 0);
  }
  return ends;
}

/** Reads the audit events behind these ends. */
async function* eventsSince({ auditEvents }: Models, ends: ChainEnds): AsyncGenerator<Uint8Array> {
  for (const organization of await auditEvents.distinct('organization')) {
    const after = ends.get(organization.toHexString()) ?? 0;
    yield* auditEvents.collection.find<Uint8Array>(
      { organization, sequence: { $gt: after } },
      { ...readOptions, sort: { sequence: 1 } },
    );
  }
}

/**
 * Documents come in BSON. In a replica set, only what a majority has is read. By default a batch has up to 16 MB, for which
 * a busy server may need longer than the driver waits.
 */
const readOptions = {
  raw: true,
  batchSize: 1_000,
  readConcern: { level: 'majority' },
  readPreference: 'primary',
} as const;

/**
 * Reads the documents of a collection in BSON, one by one. An id never changes, so no document is read twice or left out
 * because it moved. An audit chain grows at its end alone, so it is read in the order of the chain: what was read is a
 * chain.
 */
export function documentsOf({ db }: Connection, collectionName: string): AsyncIterable<Uint8Array> {
  const sort: Record<string, 1> = collectionName === auditCollection ? { organization: 1, sequence: 1 } : { _id: 1 };
  return db!.collection(collectionName).find<Uint8Array>({}, { ...readOptions, sort });
}

/** Gathers documents to files. */
async function* toFiles(
  documents: AsyncIterable<Uint8Array>,
  folder: string,
  onProgress: (documents: number) => void,
): AsyncGenerator<ArchiveEntry, CollectionContent> {
  const hash = createHash('sha256');
  let [count, bytes, files, waiting] = [0, 0, 0, 0];
  let pending: Uint8Array[] = [];
  const file = (): ArchiveEntry => {
    files += 1;
    const name = `${documentsFolder}${folder}/${String(files).padStart(6, '0')}.bson`;
    const entry = { name, bytes: Buffer.concat(pending, waiting) };
    hash.update(entry.bytes);
    bytes += waiting;
    [pending, waiting] = [[], 0];
    return entry;
  };
  for await (const document of documents) {
    count += 1;
    pending.push(document);
    waiting += document.length;
    if (waiting < fileBytes) continue;
    yield file();
    onProgress(count);
  }
  if (pending.length > 0) yield file();
  return { folder, documents: count, bytes, sha256: hash.digest('hex') };
}
