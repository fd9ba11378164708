/*
 * The order in which a backup reads the collections. Nothing stops meanwhile, and the collections are not read at one
 * moment. The order gives the guarantee (docs/decisions/0022-backups.md):
 *
 * - Everything that was acknowledged before the backup began is in it.
 * - Something that began later is in it wholly, or is taken out again when the backup is restored (settle.ts).
 *
 * Three rules make the order. Each has the same reason: the later reading must find what the earlier one relies on.
 * 1. A state is read before the results that it claims. A job that is COMPLETED was so before its predictions are read.
 * 2. A document is read before the one that it refers to, unless that one can be removed.
 * 3. Marks of progress are read before the documents that they count as done.
 */
import type { Models } from '../../models/index.js';

type Reading = keyof Models;

/** Collections that are not in a backup. They tell of processes, or of backups. */
const leftOut = ['workerHeartbeats', 'backups'] as const satisfies readonly Reading[];

/**
 * The order of the readings. Two collections are read twice.
 * - A data key of before may be removed, and one of later may be used by a document that is read meanwhile. So each
 *   document finds its key in one of the two readings.
 * - The second reading of the audit events is that of the events since the first. So they reach the sealed end of their
 *   chain, which is read between the two.
 */
const readingOrder = [
  'dataKeys',
  // Marks of progress.
  'keyRotations',
  'repairs',
  // A job claims results, a chunk claims a block, and a job names a version of a model.
  'scoringJobs',
  'scoringChunks',
  'predictions',
  'predictionBlocks',
  'webhookDeliveries',
  'webhookEndpoints',
  'modelVersions',
  'modelChunks',
  // Patients come after predictions: the mark "unlisted" of a block claims that its patients have its results.
  'breakGlassAccesses',
  'patients',
  'apiKeys',
  'sessions',
  'users',
  'revocations',
  'revocationEpochs',
  // An action is recorded before it is done. So each change above is on record here.
  'auditEvents',
  'auditHeads',
  'auditEvents',
  'dataKeys',
  'organizations',
] as const satisfies readonly Reading[];

/** Collections without a place in the order. There is none: with one, no call of `readingsOf` compiles. */
type Forgotten = Exclude<Reading, (typeof readingOrder)[number] | (typeof leftOut)[number]>;

/** One reading of one collection. */
interface CollectionReading {
  /** Number and name of the collection: `05-scoring_jobs`. It is the folder of its documents in the archive. */
  readonly folder: string;
  readonly collectionName: string;
}

/**
 * Lists the readings of a database. A collection that this release does not know is read before the audit trail.
 * @param present names of the collections of the database
 */
export function readingsOf(models: Models & Record<Forgotten, never>, present: readonly string[]): CollectionReading[] {
  const nameOf = (reading: Reading): string => models[reading].collection.collectionName;
  const ordered = readingOrder.map(nameOf);
  const known = new Set([...ordered, ...leftOut.map(nameOf), ...ofProcesses]);
  const others = present.filter((name) => !known.has(name) && !name.startsWith('system.')).sort();
  const names = [...ordered];
  names.splice(names.indexOf(nameOf('auditEvents')), 0, ...others);
  return names
    .filter((name) => present.includes(name))
    .map((collectionName, index) => ({
      folder: `${String(index + 1).padStart(2, '0')}-${collectionName}`,
      collectionName,
    }));
}

/** Collections without a model that are not in a backup. The version of the data is in the archive's first entry. */
const ofProcesses = ['health', 'data_versions'];

/** The collection of a folder of an archive. */
export const collectionOfFolder = (folder: string): string => folder.slice(folder.indexOf('-') + 1);
