/*
 * The file of an archive: compressed lines of JSON.
 *
 *   1. the first line names the organization, and the event behind which the archive begins
 *   2. one line per event, in their order, as MongoDB's extended JSON: mongoimport reads it
 *   3. the last line names the last event, with a seal
 *
 * The events keep their keyed hashes, so the archive needs no signature of its own: a changed, missing or added event
 * breaks the chain. The seal shows that the end was not cut off.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, pipeline } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import { mongo, Types } from 'mongoose';
import type { AuditEvent } from '../../models/index.js';
import { StartupError } from '../errors.js';
import { decodeUtf8 } from '../process/utf8-text.js';
import { examineChain, sealArchived, type ChainEnd, type ChainFailure } from './audit-chain.js';
import { flushDirectory } from '../storage/flush-directory.js';

const { EJSON } = mongo.BSON;
const format = 'riskgraph-audit-1';
/** Bytes of the longest line: the largest document of MongoDB, written as text. */
const longestLine = 64 * 1024 * 1024;

/** Age from which no process writes a draft any more, milliseconds. */
const oldDraftMs = 86_400_000;

/** The first line of an archive. */
interface ArchiveBeginning {
  readonly organization: Types.ObjectId;
  readonly slug: string;
  /** The event before the first one of the archive. */
  readonly after: ChainEnd;
}

/** The last line of an archive. */
interface ArchiveEnd {
  readonly end: ChainEnd;
  readonly seal: string;
}

/** An archive that was read from its first to its last byte. */
export interface ReadArchive extends ArchiveBeginning {
  readonly end: ChainEnd;
  readonly events: number;
  /** Empty when every event is as it was written. */
  readonly failures: readonly ChainFailure[];
  /** The hash of the event that was asked for. Absent when it is not in the archive. */
  readonly askedHash?: string;
}

/** The name of an archive says which events it holds. */
const archiveName = (slug: string, after: ChainEnd, end: ChainEnd): string =>
  `audit-${slug}-${after.sequence + 1}-${end.sequence}.ndjson.gz`;

/** Tells whether a file has the name of an archive that begins behind an event. */
export const isArchiveBehind = (name: string, slug: string, after: ChainEnd): boolean =>
  new RegExp(`^audit-${slug}-${after.sequence + 1}-\\d+\\.ndjson\\.gz$`).test(name);

export const isArchive = (name: string): boolean => /^audit-[a-z0-9-]+-\d+-\d+\.ndjson\.gz$/.test(name);

/** Removes what killed processes left of archives that were never whole. */
export async function removeOldDrafts(directory: string, now = Date.now()): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith('.') || !name.endsWith('.draft')) continue;
    const path = join(directory, name);
    // Another process may have completed or removed it.
    const found = await stat(path).catch(() => undefined);
    if (found && now - found.mtimeMs > oldDraftMs) await rm(path, { force: true });
  }
}

/**
 * Writes an archive that only its owner may read. The file has its name when all its bytes are on the disk.
 * @returns its path
 * @throws a system error; then there is no file of that name
 */
export async function writeArchive(
  directory: string,
  beginning: ArchiveBeginning,
  events: AsyncIterable<AuditEvent>,
  { end, key }: { readonly end: ChainEnd; readonly key: Buffer },
): Promise<string> {
  const path = join(directory, archiveName(beginning.slug, beginning.after, end));
  const draft = join(directory, `.${randomUUID()}.draft`);
  async function* lines(): AsyncGenerator<string> {
    yield `${EJSON.stringify({ format, ...beginning })}\n`;
    for await (const event of events) yield `${EJSON.stringify(event)}\n`;
    yield `${JSON.stringify({ end, seal: sealArchived(beginning.organization, end, key) } satisfies ArchiveEnd)}\n`;
  }
  const file = await open(draft, 'wx', 0o600);
  try {
    const compressed = createGzip();
    // An error of the lines ends the reading of the bytes.
    pipeline(Readable.from(lines()), compressed, () => undefined);
    for await (const bytes of compressed as AsyncIterable<Buffer>) await file.writeFile(bytes);
    await file.sync();
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    // A write over a handle does not say to which file.
    throw (error as NodeJS.ErrnoException).syscall === 'write' ? Object.assign(error as Error, { path }) : error;
  } finally {
    await file.close();
  }
  await flushDirectory(dirname(path));
  return path;
}

/**
 * Reads an archive, and examines the chain of its events. It holds one event at a time.
 * @param keyOf gives the key of the organization that the archive names
 * @param asked sequence number of an event whose hash is told
 * @throws StartupError in one line for a file that is no archive, or not a whole one
 */
export async function readArchive(
  path: string,
  keyOf: (organization: Types.ObjectId) => Promise<Buffer>,
  asked?: number,
): Promise<ReadArchive> {
  const refuse = (reason: string): StartupError =>
    new StartupError(`${path} is no whole archive of audit events (${reason}): take another copy of it.`);
  const lines = linesOf(path);
  try {
    const first = await lines.next();
    const beginning = first.done ? undefined : asBeginning(first.value);
    if (!beginning) throw refuse('its first line does not say so');
    const key = await keyOf(beginning.organization);
    let last: Partial<ArchiveEnd> = {};
    let askedHash: string | undefined;
    const events = async function* (): AsyncGenerator<AuditEvent> {
      for await (const line of lines) {
        if (last.seal !== undefined) throw refuse('there is more behind its last line');
        if (isEvent(line)) {
          if (line.sequence === asked) askedHash = line.hash;
          yield line;
        } else last = line;
      }
    };
    const report = await examineChain(events(), key, { after: beginning.after });
    const { end } = report;
    if (last.seal === undefined) throw refuse('its last line is missing');
    if (last.seal !== sealArchived(beginning.organization, end, key)) throw refuse('its seal does not fit its events');
    const { events: count, failures } = report;
    return { ...beginning, events: count, end, failures, ...(askedHash !== undefined && { askedHash }) };
  } catch (error) {
    if (error instanceof StartupError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    // The file itself cannot be read: the caller names it and the code.
    if (code !== undefined && !code.startsWith('Z_') && code.startsWith('E') && !code.startsWith('ERR_')) throw error;
    throw refuse(message);
  }
}

async function* linesOf(path: string): AsyncGenerator<object> {
  const bytes = createGunzip();
  // An error of the file ends the reading of the bytes.
  pipeline(createReadStream(path), bytes, () => undefined);
  for await (const text of decodeUtf8(bytes, longestLine)) {
    for (const line of text.split('\n')) if (line !== '') yield EJSON.parse(line) as object;
  }
}

const isEvent = (line: object): line is AuditEvent => 'previousHash' in line;

function asBeginning(line: object): ArchiveBeginning | undefined {
  const { format: given, organization, slug, after } = line as Partial<ArchiveBeginning> & { format?: unknown };
  if (given !== format || !(organization instanceof Types.ObjectId) || slug === undefined || !after) return undefined;
  return { organization, slug, after };
}
