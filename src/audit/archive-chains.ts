/*
 * Archiving: old events of a chain move from the database into a file. Step by step:
 *
 *   1. The events that are older than the limit are the beginning of the chain. The last event of a chain always stays.
 *   2. They are written to a file, at most `eventsPerFile`. The file is on the disk before it has its name.
 *   3. The file is read back, and its chain is examined. Its end must be the event that the database has there.
 *   4. The archiving is recorded as an event of the same chain.
 *   5. The end of the archive is noted in the head of the chain, with a seal. From there on the stored chain is verified.
 *   6. The events up to that end are removed.
 *
 * A process may be killed at any step. Before step 5 the events are all in the database, and the next run takes the file
 * that is there. After it, the next run removes the events that are left.
 */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Types } from 'mongoose';
import type { AuditEvent, AuditHead, Models, Organization } from '../../models/index.js';
import { StartupError } from '../errors.js';
import { isArchiveBehind, readArchive, removeOldDrafts, writeArchive, type ReadArchive } from './audit-archive.js';
import { archivedEnd, sealArchived, type ChainEnd } from './audit-chain.js';
import type { AuditActor, AuditTrail } from './audit-trail.js';
import type { AuditKeyOf } from './audit-writer.js';

/** Most events in one file. */
const eventsPerFile = 100_000;
/** Most events that are removed by one statement. */
const removedAtOnce = 5_000;

interface ArchivingDependencies {
  readonly models: Pick<Models, 'auditEvents' | 'auditHeads' | 'organizations'>;
  readonly keyOf: AuditKeyOf;
  readonly audit: AuditTrail;
  /** The actor that the trail of an organization names. */
  readonly actorOf: (organizationId: string) => AuditActor;
  /** An existing folder. */
  readonly directory: string;
}

/** An archive that was made now, or that an ended process had left. */
export interface MadeArchive {
  readonly slug: string;
  /** Name of the file in the folder. */
  readonly file: string;
  readonly events: number;
  readonly end: ChainEnd;
}

/**
 * Archives the events of before a time, and removes them from the database.
 * @param options.slug one organization; without it all
 * @throws StartupError when chains are broken, or files do not fit them: nothing of these chains is
 *   removed. The chains of the other organizations are archived first
 */
export async function* archiveChains(
  dependencies: ArchivingDependencies,
  {
    before,
    slug,
    perFile = eventsPerFile,
  }: { readonly before: Date; readonly slug?: string; readonly perFile?: number },
): AsyncGenerator<MadeArchive> {
  const organizations = await dependencies.models.organizations
    .find(slug === undefined ? {} : { slug }, { slug: 1 })
    .sort({ slug: 1 })
    .lean<Organization[]>();
  if (slug !== undefined && organizations.length === 0)
    throw new StartupError(`There is no organization "${slug}": see the slugs that "riskgraph audit verify" lists.`);
  await removeOldDrafts(dependencies.directory);
  const refusals: StartupError[] = [];
  for (const organization of organizations) {
    try {
      yield* archiveChain(dependencies, organization, before, perFile);
    } catch (error) {
      // The chain of one organization must not keep those of others from their archives.
      if (!(error instanceof StartupError)) throw error;
      refusals.push(error);
    }
  }
  if (refusals.length > 0) throw new StartupError(refusals.map(({ message }) => message).join(' '));
}

async function* archiveChain(
  dependencies: ArchivingDependencies,
  { _id: organization, slug }: Organization,
  before: Date,
  perFile: number,
): AsyncGenerator<MadeArchive> {
  const { models, keyOf, audit, actorOf } = dependencies;
  const key = await keyOf(organization);
  const head = await models.auditHeads.findById(organization).lean<AuditHead>();
  // The head of a new chain is written within a second of its first event.
  if (!head) return;
  let after = archivedEnd(head, key);
  if (!after)
    throw new StartupError(`The note of the archived events of "${slug}" was changed: run "riskgraph audit verify".`);
  await removeUpTo(models, organization, after);
  for (;;) {
    const archive = await archiveBehind(dependencies, { organization, slug, after }, before, perFile);
    if (!archive) return;
    const { end, events, path } = archive;
    const file = basename(path);
    const subject = { kind: 'AUDIT_ARCHIVE', id: file } as const;
    await audit.record(actorOf(organization.toHexString()), { action: 'audit:archive', outcome: 'ALLOWED', subject });
    const { matchedCount } = await models.auditHeads.updateOne(
      { _id: organization, 'archived.sequence': after.sequence === 0 ? { $exists: false } : after.sequence },
      { $set: { archived: { ...end, seal: sealArchived(organization, end, key) } } },
    );
    // Another process archives the same chain.
    if (matchedCount === 0) return;
    await removeUpTo(models, organization, end);
    yield { slug, file, events, end };
    after = end;
  }
}

/**
 * Finds the archive of a killed process, or writes one.
 * @returns undefined when there is nothing to archive
 */
async function archiveBehind(
  { models, keyOf, directory }: ArchivingDependencies,
  {
    organization,
    slug,
    after,
  }: { readonly organization: Types.ObjectId; readonly slug: string; readonly after: ChainEnd },
  before: Date,
  perFile: number,
): Promise<(ReadArchive & { readonly path: string }) | undefined> {
  const { auditEvents } = models;
  const left = (await readdir(directory)).find((name) => isArchiveBehind(name, slug, after));
  const path = left === undefined ? await write() : join(directory, left);
  if (path === undefined) return undefined;
  const archive = await readArchive(path, keyOf);
  const { end, failures } = archive;
  const stored = await auditEvents.collection.findOne(
    { organization, sequence: end.sequence },
    { projection: { hash: 1 } },
  );
  const fits =
    archive.organization.equals(organization) &&
    archive.after.sequence === after.sequence &&
    archive.after.hash === after.hash &&
    stored?.hash === end.hash;
  if (failures[0])
    throw new StartupError(
      `The audit trail of "${slug}" is broken at event ${failures[0].sequence}, so nothing of it is removed: run ` +
        `"riskgraph audit verify", and move ${path} away.`,
    );
  if (!fits)
    throw new StartupError(
      `${path} does not fit the audit trail of "${slug}", so nothing of it is removed: move that file away if it is of ` +
        'another database or of before a restore.',
    );
  return { ...archive, path };

  async function write(): Promise<string | undefined> {
    const end = await lastBefore(auditEvents, { organization, after, before, perFile });
    if (!end) return undefined;
    const events = auditEvents.collection.find(
      { organization, sequence: { $gt: after.sequence, $lte: end.sequence } },
      { sort: { sequence: 1 } },
    ) as unknown as AsyncIterable<AuditEvent>;
    return writeArchive(directory, { organization, slug, after }, events, { end, key: await keyOf(organization) });
  }
}

/** Finds the last event to archive: all up to it are of before the time, and at least one event is behind it. */
async function lastBefore(
  { collection }: Models['auditEvents'],
  {
    organization,
    after,
    before,
    perFile,
  }: {
    readonly organization: Types.ObjectId;
    readonly after: ChainEnd;
    readonly before: Date;
    readonly perFile: number;
  },
): Promise<ChainEnd | undefined> {
  const options = { projection: { _id: 0, sequence: 1, hash: 1 } };
  const behind = { organization, sequence: { $gt: after.sequence } };
  const kept =
    (await collection.findOne<ChainEnd>(
      { ...behind, occurredAt: { $gte: before } },
      { ...options, sort: { sequence: 1 } },
    )) ?? (await collection.findOne<ChainEnd>(behind, { ...options, sort: { sequence: -1 } }));
  if (!kept) return undefined;
  const sequence = Math.min(kept.sequence - 1, after.sequence + perFile);
  if (sequence <= after.sequence) return undefined;
  const last = await collection.findOne<ChainEnd>({ organization, sequence }, options);
  if (!last)
    throw new StartupError(
      `Event ${sequence} of an audit trail is missing, so nothing of it is removed: run "riskgraph audit verify".`,
    );
  return last;
}

/** Removes the events up to an archived one, the oldest first. */
async function removeUpTo(
  { auditEvents }: ArchivingDependencies['models'],
  organization: Types.ObjectId,
  { sequence }: ChainEnd,
): Promise<void> {
  for (;;) {
    const first = await auditEvents.collection.findOne(
      { organization, sequence: { $lte: sequence } },
      { sort: { sequence: 1 }, projection: { sequence: 1 } },
    );
    if (!first) return;
    const until = Math.min(sequence, (first.sequence as number) + removedAtOnce - 1);
    await auditEvents.collection.deleteMany({ organization, sequence: { $lte: until } });
  }
}
