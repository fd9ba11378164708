/*
 * Restoring a backup. Step by step:
 * 1. The target must be an empty database. One that holds a part of a backup is emptied.
 * 2. The archive is read to its end. A wrong key, a changed bit or a cut end shows here, before anything is written.
 * 3. The database is marked. Until the mark is removed, no process starts on it.
 * 4. The documents are written, and then the indexes are made.
 * 5. Operations that the backup has in part only are taken out (settle.ts).
 * 6. All credentials of before are ended, on record.
 * 7. The mark is removed.
 *
 * When a step fails, the database is dropped, and so is as empty as before. After kill -9 the mark stays, and the next
 * restore starts over. Queues need no restore: workers put the unfinished jobs on them again (src/jobs/reconciler.ts).
 */
import type { Readable } from 'node:stream';
import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import type { Models } from '../../models/index.js';
import { auditKeys, createAuditTrail } from '../audit/audit-writer.js';
import type { AuditActor } from '../audit/audit-trail.js';
import { verifyChains } from '../audit/verify-chains.js';
import { StartupError } from '../errors.js';
import type { MasterKey } from '../protection/master-keys.js';
import { startProtection } from '../protection/start-protection.js';
import { claimData, dataVersion } from '../storage/data-version.js';
import { beginRestore, endRestore } from '../storage/unfinished-restore.js';
import { unpackArchive } from './archive.js';
import { endAllCredentials, type EndedInOrganization } from './end-all-credentials.js';
import { examineArchive, type ExaminedArchive } from './examine-archive.js';
import type { BackupHeader } from './manifest.js';
import { makeIndexes } from './make-indexes.js';
import { settle, type Settled } from './settle.js';
import { compareWithManifest, createDocumentWriter, requireEmpty } from './write-database.js';

/** The steps of a restore that take long. */
type RestoreStep = 'reading' | 'writing' | 'comparing' | 'settling';

/** An archive that can be read more than once, and the key that opens it. */
export interface BackupSource {
  readonly name: string;
  /** The private key, `AGE-SECRET-KEY-1...` */
  readonly identity: string;
  read(): Promise<Readable>;
}

interface Restoring {
  readonly source: BackupSource;
  /** A connection to the target, and its collections. */
  readonly database: Connection;
  readonly models: Models;
  readonly masterKeys: readonly MasterKey[];
  /** Number of revocations that Redis has seen; 0 without a Redis. */
  readonly seenEpoch: number;
  /** The actor of the audit events. */
  readonly actorOf: (organizationId: string) => AuditActor;
  readonly logger: Logger;
  /**
   * True: compares each restored collection with the archive, checks the audit chains, and settles twice.
   * @defaultValue false
   */
  readonly check?: boolean;
  readonly onProgress?: (step: RestoreStep, documents: number) => void;
}

/** The outcome of a restore. */
export interface Restored {
  readonly header: BackupHeader;
  /** Time when the backup was complete. */
  readonly endedAt: Date;
  readonly documents: number;
  /** Documents that the backup had in part only or twice, by kind. */
  readonly settled: Settled & { readonly duplicates: number };
  readonly ended: readonly EndedInOrganization[];
  /** Number of revocations, to be announced to Redis. */
  readonly epoch: number;
  /** Events of the audit trail, when they were checked. */
  readonly auditEvents?: number;
  /** Duration of all that a restore needs, without the checks of a drill. */
  readonly restoreSeconds: number;
}

/** Reads an archive to its end. @throws StartupError when it is not whole */
export async function examineBackup(
  { name, identity, read }: BackupSource,
  onProgress: (documents: number) => void = () => undefined,
): Promise<ExaminedArchive> {
  let documents = 0;
  return examineArchive(unpackArchive(await read(), identity, name), name, async (_folder, some) => {
    documents += some.length;
    onProgress(documents);
  });
}

/** Restores a backup. @throws StartupError when target, archive or keys do not fit. Then the target is as empty as before */
export async function restoreBackup(restoring: Restoring): Promise<Restored> {
  const { source, database, masterKeys, onProgress } = restoring;
  const begun = performance.now();
  await requireEmpty(database);
  const { header } = await examineBackup(source, (documents) => onProgress?.('reading', documents));
  refuseUnreadable(header, masterKeys);
  await beginRestore(database, source.name);
  try {
    return await write(restoring, begun);
  } catch (error) {
    // Without MongoDB the mark stays, and says the same.
    await database.db!.dropDatabase().catch(() => undefined);
    throw error;
  }
}

/** @throws StartupError for data of a newer release, and when a master key is missing */
function refuseUnreadable(header: BackupHeader, masterKeys: readonly MasterKey[]): void {
  if (header.dataVersion > dataVersion)
    throw new StartupError(
      `${header.name} was made by the newer release ${header.release} (data version ${header.dataVersion}, and this one ` +
        `knows ${dataVersion}): restore it with that release.`,
    );
  const missing = header.masterKeys.filter((id) => !masterKeys.some((key) => key.id === id));
  if (missing.length > 0)
    throw new StartupError(
      `The patients of ${header.name} are encrypted under the master key "${missing.join('", "')}", which is not here: ` +
        'add it to ENCRYPTION_KEYS (without ENCRYPTION_KEYS: set the SECRET_KEY of before).',
    );
}

async function write(restoring: Restoring, begun: number): Promise<Restored> {
  const { source, database, models, masterKeys, seenEpoch, actorOf, logger, check = false } = restoring;
  const { onProgress = () => undefined } = restoring;
  const writeDocuments = createDocumentWriter(database);
  let documents = 0;
  const { header, manifest } = await examineArchive(
    unpackArchive(await source.read(), source.identity, source.name),
    source.name,
    async (folder, some) => {
      await writeDocuments(folder, some);
      documents += some.length;
      onProgress('writing', documents);
    },
  );
  const comparing = performance.now();
  if (check) {
    onProgress('comparing', documents);
    await compareWithManifest(database, manifest);
  }
  const compared = performance.now();
  // Data of an older release keep their version. The next start brings them to that of its own release.
  await claimData(database, header.dataVersion);
  const duplicates = await makeIndexes(models, header.begunAt);
  onProgress('settling', documents);
  const settled = { ...(await settle(models, header.begunAt)), duplicates };
  const { protectionOf } = await startProtection({ models, masterKeys });
  const keyOf = auditKeys(protectionOf);
  const audit = createAuditTrail({ models, keyOf, logger });
  const { ended, epoch } = await endAllCredentials({ models, audit, seen: seenEpoch, actorOf }).finally(() =>
    audit.close(),
  );
  await endRestore(database);
  const restoreSeconds = (performance.now() - begun - (compared - comparing)) / 1_000;
  const auditEvents = check ? await checkRestored(models, keyOf) : undefined;
  return {
    header,
    endedAt: manifest.endedAt,
    documents,
    settled,
    ended,
    epoch,
    restoreSeconds,
    ...(auditEvents !== undefined && { auditEvents }),
  };
}

/**
 * Checks what a restore promises: nothing is there in part, and the audit chains are whole.
 * @returns the number of audit events
 */
async function checkRestored(models: Models, keyOf: ReturnType<typeof auditKeys>): Promise<number> {
  const left = Object.entries(await settle(models)).filter(([, count]) => count > 0);
  if (left.length > 0)
    throw new StartupError(
      `The restored database is not settled: ${left.map(([kind, n]) => `${n} ${kind}`).join(', ')}.`,
    );
  let events = 0;
  for await (const { slug, events: count, failures } of verifyChains(models, keyOf)) {
    const [first] = failures;
    if (first)
      throw new StartupError(
        `The audit chain of ${slug} is not whole after the restore: event ${first.sequence} ${first.reason}.`,
      );
    events += count;
  }
  return events;
}
