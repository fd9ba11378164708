/*
 * The backups of one place. Each has an archive, and after that a summary. A place stores a file whole or not at all, so
 * an archive that is there is complete. It is enough: a summary only saves opening it, and says when a drill restored it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { Readable, Transform } from 'node:stream';
import { text } from 'node:stream/consumers';
import { StartupError } from '../errors.js';
import { missing } from './directory-store.js';
import type { FileStore } from './file-store.js';
import { parseSummary, toJson, type BackupHeader, type BackupSummary } from './manifest.js';
import { kept, type KeepRules } from './retention.js';

const archiveEnding = '.tar.gz.age';
const summaryEnding = '.json';
/** Age from which files of a dead process are removed: longer than any backup takes. Milliseconds. */
const abandonedMs = 86_400_000;

/** Makes the name of a backup: `riskgraph-20261129T184000Z-9f3c2a`. */
export const backupName = (begunAt: Date): string =>
  `riskgraph-${begunAt.toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${randomBytes(3).toString('hex')}`;

/** Reads the time out of the name of a backup. Undefined for a name that was changed. */
function timeIn(name: string): Date | undefined {
  const [, day, time] = /^riskgraph-(\d{8})T(\d{6})Z-[0-9a-f]{6}$/.exec(name) ?? [];
  if (day === undefined || time === undefined) return undefined;
  const found = new Date(`${day.replace(/(....)(..)(..)/, '$1-$2-$3')}T${time.replace(/(..)(..)(..)/, '$1:$2:$3')}Z`);
  return Number.isNaN(found.getTime()) ? undefined : found;
}

/** A backup that is in its place. */
export interface FoundBackup {
  readonly name: string;
  /** Without a summary, the time in its name. Where the name has none, the time at which its archive was stored. */
  readonly begunAt: Date;
  /** Undefined when it is missing or cannot be read. */
  readonly summary: BackupSummary | undefined;
}

/** The outcome of a drill, and what the archive told of itself. */
export interface DrilledBackup {
  readonly header: BackupHeader;
  readonly endedAt: Date;
  readonly documents: number;
  readonly restoreSeconds: number;
}

/** The backups of one place. */
export interface Catalogue {
  readonly place: string;
  /** False for a folder that does not exist. */
  isThere(): Promise<boolean>;
  /**
   * Stores an archive, and after it the summary.
   * @param describe gives the rest of the summary, once the archive is stored
   */
  store(
    name: string,
    archive: Readable,
    describe: () => Omit<BackupSummary, 'format' | 'name' | 'bytes' | 'sha256'>,
  ): Promise<BackupSummary>;
  /** The names of the complete backups. */
  names(): Promise<string[]>;
  /** The complete backups, newest first. */
  list(): Promise<FoundBackup[]>;
  /** @param name undefined for the newest. @throws StartupError when there is none */
  find(name: string | undefined): Promise<FoundBackup>;
  read(name: string): Promise<Readable>;
  /** Notes in the summary that a drill has restored a backup. A backup without a summary gets one. */
  noteRestored(backup: FoundBackup, drilled: DrilledBackup): Promise<void>;
  /**
   * Removes the backups that no rule keeps, and what dead processes left behind. The newest one that a drill has restored
   * stays, and so does one whose time is not known.
   * @returns the names of the removed ones
   */
  prune(rules: KeepRules, now?: Date): Promise<string[]>;
}

export function createCatalogue(store: FileStore): Catalogue {
  const { place } = store;
  const writeSummary = ({ format: _, ...summary }: BackupSummary): Promise<void> =>
    store.put(summary.name + summaryEnding, Readable.from([toJson(summary)]));

  /** The archives by the names of their backups, and the names of all files. */
  async function archives(): Promise<{ readonly storedAt: Map<string, Date>; readonly files: ReadonlySet<string> }> {
    const files = await store.list();
    const found = files.filter(({ name }) => name.endsWith(archiveEnding));
    return {
      storedAt: new Map(found.map(({ name, storedAt }) => [name.slice(0, -archiveEnding.length), storedAt])),
      files: new Set(files.map(({ name }) => name)),
    };
  }
  async function describe(name: string, storedAt: Date, hasSummary: boolean): Promise<FoundBackup> {
    const file = name + summaryEnding;
    const written = hasSummary ? await text(await store.get(file)) : undefined;
    const summary = written === undefined ? undefined : readableSummary(written, file);
    return { name, begunAt: summary?.begunAt ?? timeIn(name) ?? storedAt, summary };
  }
  async function list(): Promise<FoundBackup[]> {
    const { storedAt, files } = await archives();
    const found = await Promise.all(
      [...storedAt].map(([name, time]) => describe(name, time, files.has(name + summaryEnding))),
    );
    return found.sort((a, b) => b.begunAt.getTime() - a.begunAt.getTime());
  }
  /** Size and hash of an archive whose summary is lost. */
  async function measureArchive(name: string): Promise<Pick<BackupSummary, 'bytes' | 'sha256'>> {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const piece of (await store.get(name + archiveEnding)) as AsyncIterable<Uint8Array>) {
      hash.update(piece);
      bytes += piece.length;
    }
    return { bytes, sha256: hash.digest('hex') };
  }

  return {
    place,
    isThere: () => store.isThere(),
    names: async () => [...(await archives()).storedAt.keys()],
    list,

    async store(name, archive, describe) {
      const hash = createHash('sha256');
      let bytes = 0;
      const measure = new Transform({
        transform(piece: Uint8Array, _encoding, done) {
          hash.update(piece);
          bytes += piece.length;
          done(null, piece);
        },
      });
      archive.on('error', (error) => measure.destroy(error));
      await store.put(name + archiveEnding, archive.pipe(measure)).finally(() => archive.destroy());
      const summary: BackupSummary = { format: 1, name, bytes, sha256: hash.digest('hex'), ...describe() };
      await writeSummary(summary).catch(async (error: unknown) => {
        await store.remove(name + archiveEnding).catch(() => undefined);
        throw error;
      });
      return summary;
    },

    async find(name) {
      if (name === undefined) {
        const [newest] = await list();
        if (newest) return newest;
        throw new StartupError(`There is no backup in ${place}: "riskgraph backup create" makes one.`);
      }
      // The other summaries are not read: one that cannot be read must not keep this backup from being restored.
      const { storedAt, files } = await archives();
      const time = storedAt.get(name);
      if (time === undefined) throw missing(name, place);
      return describe(name, time, files.has(name + summaryEnding));
    },

    read: (name) => store.get(name + archiveEnding),

    async noteRestored({ name, summary }, { header, endedAt, documents, restoreSeconds }) {
      const { begunAt, release, dataVersion } = header;
      const known: BackupSummary = summary ?? {
        ...{ format: 1, name, begunAt, endedAt, release, dataVersion, documents },
        ...(await measureArchive(name)),
      };
      await writeSummary({ ...known, restoredAt: new Date(), restoreSeconds });
    },

    async prune(rules, now = new Date()) {
      const all = (await list()).filter(({ name, summary }) => summary ?? timeIn(name));
      const keep = new Set(
        kept(
          all.map(({ begunAt }) => begunAt),
          rules,
        ).map(Number),
      );
      const tried = all.find(({ summary }) => summary?.restoredAt);
      const removed = all
        .filter((backup) => backup !== tried && !keep.has(Number(backup.begunAt)))
        .map(({ name }) => name);
      for (const name of removed) {
        // An archive without its summary is found by the next prune, whatever happens to this one.
        await store.remove(name + summaryEnding);
        await store.remove(name + archiveEnding);
      }
      await store.removeAbandoned(new Date(now.getTime() - abandonedMs));
      return removed;
    },
  };
}

/** @returns undefined for a summary that is damaged, or of a later release: the archive says the same */
function readableSummary(written: string, file: string): BackupSummary | undefined {
  try {
    return parseSummary(written, file);
  } catch {
    return undefined;
  }
}
