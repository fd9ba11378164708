/*
 * The backups of one place. Each has two files: its archive, and after that its summary. So a backup with a summary is
 * complete, and a process that dies leaves none.
 */
import { createHash, randomBytes } from 'node:crypto';
import { Readable, Transform } from 'node:stream';
import { text } from 'node:stream/consumers';
import { StartupError } from '../errors.js';
import { missing } from './directory-store.js';
import type { FileStore } from './file-store.js';
import { parseSummary, toJson, type BackupSummary } from './manifest.js';
import { kept, type KeepRules } from './retention.js';

const archiveEnding = '.tar.gz.age';
const summaryEnding = '.json';
/** Age from which files of a dead process are removed: longer than any backup takes. Milliseconds. */
const abandonedMs = 86_400_000;

/** Makes the name of a backup: `riskgraph-20261129T184000Z-9f3c2a`. */
export const backupName = (begunAt: Date): string =>
  `riskgraph-${begunAt.toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${randomBytes(3).toString('hex')}`;

/** The backups of one place. */
export interface Catalogue {
  readonly place: string;
  /**
   * Stores an archive, and after it the summary.
   * @param describe gives the rest of the summary, once the archive is stored
   */
  store(
    name: string,
    archive: Readable,
    describe: () => Omit<BackupSummary, 'format' | 'name' | 'bytes' | 'sha256'>,
  ): Promise<BackupSummary>;
  /** The complete backups, newest first. */
  list(): Promise<BackupSummary[]>;
  /** @param name undefined for the newest. @throws StartupError when there is none */
  find(name: string | undefined): Promise<BackupSummary>;
  read(name: string): Promise<Readable>;
  /** Notes that a drill has restored a backup. */
  noteRestored(summary: BackupSummary, restoreSeconds: number): Promise<void>;
  /** Removes the backups that no rule keeps, and what dead processes left behind. @returns the names of the removed ones */
  prune(rules: KeepRules, now?: Date): Promise<string[]>;
}

export function createCatalogue(store: FileStore): Catalogue {
  const { place } = store;
  const writeSummary = ({ format: _, ...summary }: BackupSummary): Promise<void> =>
    store.put(summary.name + summaryEnding, Readable.from([toJson(summary)]));

  /** The names of the complete backups. */
  async function completeNames(): Promise<string[]> {
    const files = new Set((await store.list()).map(({ name }) => name));
    return [...files]
      .filter((file) => file.endsWith(summaryEnding))
      .map((file) => file.slice(0, -summaryEnding.length))
      .filter((name) => files.has(name + archiveEnding));
  }
  async function readSummary(name: string): Promise<BackupSummary> {
    const file = name + summaryEnding;
    return parseSummary(await text(await store.get(file)), `${file} in ${place}`);
  }
  async function list(): Promise<BackupSummary[]> {
    const found = await Promise.all((await completeNames()).map(readSummary));
    return found.sort((a, b) => b.begunAt.getTime() - a.begunAt.getTime());
  }

  return {
    place,
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
      // A summary that cannot be read must not keep another backup from being restored.
      if (name !== undefined && !(await completeNames()).includes(name)) throw missing(name, place);
      const found = name === undefined ? (await list())[0] : await readSummary(name);
      if (found) return found;
      throw new StartupError(`There is no backup in ${place}: "riskgraph backup create" makes one.`);
    },

    read: (name) => store.get(name + archiveEnding),

    noteRestored: (summary, restoreSeconds) => writeSummary({ ...summary, restoredAt: new Date(), restoreSeconds }),

    async prune(rules, now = new Date()) {
      const all = await list();
      const keep = new Set(
        kept(
          all.map(({ begunAt }) => begunAt),
          rules,
        ).map(Number),
      );
      const removed = all.filter(({ begunAt }) => !keep.has(Number(begunAt))).map(({ name }) => name);
      for (const name of removed) {
        // Without its summary it is no backup any more, whatever happens next.
        await store.remove(name + summaryEnding);
        await store.remove(name + archiveEnding);
      }
      const before = new Date(now.getTime() - abandonedMs);
      await store.removeAbandoned(before);
      const files = await store.list();
      const summaries = new Set(files.map(({ name }) => name));
      for (const { name, storedAt } of files) {
        const summary = name.replace(archiveEnding, summaryEnding);
        if (name.endsWith(archiveEnding) && !summaries.has(summary) && storedAt < before) await store.remove(name);
      }
      return removed;
    },
  };
}
