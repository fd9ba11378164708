import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Connection } from 'mongoose';
import type { ArchiveEntry } from '../backup/archive.js';
import type { Catalogue } from '../backup/catalogue.js';
import type { BackupSource } from '../backup/restore-backup.js';
import { createClosers, type Closers } from '../closers.js';
import type { Config } from '../config/config.js';
import { publicSettings } from '../config/public-settings.js';
import { startEngines } from '../embedded/engines.js';
import { hasFullDisk } from '../embedded/full-disk.js';
import { StartupError } from '../errors.js';
import { readBundle } from '../risk/bundle/bundle-files.js';
import { bundleDirectories } from '../risk/registry.js';
import { connectDatabase, isDiskFull } from '../storage/database.js';
import { startProgressBar } from './progress-bar.js';

/**
 * The private key that opens backups.
 * @param file as age-keygen writes it. @defaultValue BACKUP_IDENTITY
 * @throws StartupError when there is none
 */
export async function privateKey(config: Config, file?: string): Promise<string> {
  const text = file === undefined ? config.backup.identity : await readFile(file, 'utf8');
  const line = text?.split(/\s+/).find((word) => word.startsWith('AGE-SECRET-KEY-'));
  if (line !== undefined) return line;
  throw new StartupError(
    file === undefined
      ? 'BACKUP_IDENTITY is not set: give the private key of the backup there, or name its file with --identity.'
      : `${file} holds no private key of age: it has a line that begins with AGE-SECRET-KEY-1.`,
  );
}

export const sourceOf = (catalogue: Catalogue, name: string, identity: string): BackupSource => ({
  name,
  identity,
  read: () => catalogue.read(name),
});

/** Settings without secrets, and the bundles of RISK_MODELS_DIRECTORY. Added models are in the database. */
export async function filesOutside(
  { riskModelsDirectory }: Config,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ArchiveEntry[]> {
  const files = [{ name: 'settings.json', bytes: toJson(publicSettings(environment)) }];
  if (riskModelsDirectory === undefined) return files;
  for (const directory of await bundleDirectories(riskModelsDirectory))
    for (const [file, bytes] of await readBundle(directory))
      files.push({ name: `risk-models/${basename(directory)}/${file}`, bytes: Buffer.from(bytes) });
  return files;
}

const toJson = (value: object): Buffer => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);

/**
 * Runs work on a new, empty database of the embedded engine. Nothing of it is left after that, also when this process is
 * asked to end.
 */
export async function withScratchDatabase<T>(work: (database: Connection) => Promise<T>): Promise<T> {
  return withCleanEnd(async (closers) => {
    // Each part is closed as soon as its start has ended: a signal may come while it starts.
    const making = mkdtemp(join(tmpdir(), 'riskgraph-drill-'));
    closers.add(async () => rm(await making, { recursive: true, force: true }));
    const directory = await making;
    const starting = startEngines({ dataDirectory: directory, redisUrl: 'redis://unused' });
    closers.add(async () => (await starting.catch(() => undefined))?.stop());
    const engines = await starting;
    const database = await connectDatabase(engines.mongoUri);
    closers.add(() => database.close());
    return work(database).catch(async (error: unknown) => {
      throw await explainFullDisk(error, directory);
    });
  });
}

/** The scratch database is on the disk of TMPDIR, which is not that of the deployment's MongoDB. */
async function explainFullDisk(error: unknown, directory: string): Promise<unknown> {
  const isFull = (isDiskFull(error) && !(error instanceof Error && 'path' in error)) || (await hasFullDisk(directory));
  if (!isFull) return error;
  return new StartupError(
    `The disk of ${dirname(directory)} is full, where the backup is restored to try it: make room, or name another ` +
      'folder in TMPDIR.',
    { cause: error },
  );
}

const endings = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
/** Exit code of a command that a signal has ended. */
const endedCode = 1;

/** Closes what the work has started: at its end, and when a signal asks this process to end. */
async function withCleanEnd<T>(work: (closers: Closers) => Promise<T>): Promise<T> {
  const closers = createClosers();
  const end = (): void => void closers.close().finally(() => process.exit(endedCode));
  for (const signal of endings) process.once(signal, end);
  try {
    return await work(closers);
  } finally {
    await closers.close();
    for (const signal of endings) process.removeListener(signal, end);
  }
}

/** A progress bar for each step, one after the other. */
export function progressBars(): { show(step: string, done: number, total: number): void; stop(): void } {
  let step: string | undefined;
  let bar: ReturnType<typeof startProgressBar> | undefined;
  return {
    show(next, done, total) {
      if (next !== step) {
        bar?.stop();
        bar = startProgressBar(next.padEnd(9), total);
        step = next;
      }
      bar?.update(done, '', total);
    },
    stop: () => bar?.stop(),
  };
}
