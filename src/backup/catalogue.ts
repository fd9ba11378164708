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
/** Age from which what a dead process left behind is removed: longer than any backup takes. Milliseconds. */
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

  async function list(): Promise<BackupSummary[]> {
    const names = new Set((await store.list()).map(({ name }) => name));
    const summaries = [...names].filter(
      (name) => name.endsWith(summaryEnding) && names.has(name.slice(0, -summaryEnding.length) + archiveEnding),
    );
    const found = await Promise.all(
      summaries.map(async (name) => parseSummary(await text(await store.get(name)), `${name} in ${place}`)),
    );
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
      const all = await list();
      const found = name === undefined ? all[0] : all.find((summary) => summary.name === name);
      if (found) return found;
      throw name === undefined
        ? new StartupError(`There is no backup in ${place}: "riskgraph backup create" makes one.`)
        : missing(name, place);
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
