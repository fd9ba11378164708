import { mkdtemp, open, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { encrypterTo, requireIdentity } from '../backup/archive.js';
import { createS3Store, isS3 } from '../backup/s3-store.js';
import type { Config } from '../config/config.js';
import { unknownSettings } from '../config/unknown-settings.js';
import { StartupError } from '../errors.js';
import { readPersistedQueries } from '../http/persisted-queries.js';
import { loadTracing } from '../process/asked-tracing.js';
import { notWritable } from '../process/log-file.js';
import { WarningError, type Check } from './checks.js';
import { environmentFileNames } from './environment.js';
import { loadErrorReports } from './serve.js';

/**
 * Checks what settings name and a start, or work at night, would refuse: files, folders, packages and keys. A setting
 * that is not set has no line. Nothing stays of what a check writes.
 */
export function settingsChecks(config: Config): Check[] {
  const { backup, logFile, persistedQueriesFile, auditRetentionDays, auditArchiveDirectory, sentryDsn, tracing } =
    config;
  const { target, recipients, identity } = backup;
  return [
    ...unknownSettings(process.env, environmentFileNames()).map(unknownSetting),
    ...when(logFile, 'log file', checkLogFile),
    ...when(persistedQueriesFile, 'persisted queries', checkQueries),
    ...when(tracing.endpoint, 'traces', () => loadTracing().then(installed)),
    ...when(sentryDsn, 'errors to Sentry', () => loadErrorReports().then(installed)),
    ...when(auditRetentionDays, 'audit archive', (days) => checkArchive(days, auditArchiveDirectory)),
    ...when(target, 'backup target', (place) => checkTarget(place, backup)),
    ...when(target ?? recipients[0], 'backup recipients', async () => {
      encrypterTo(recipients);
      return `public keys of age: ${recipients.length}`;
    }),
    ...when(identity, 'backup identity', async (key) => {
      requireIdentity(key);
      return 'a private key of age';
    }),
  ];
}

/** Makes the check of a setting that is set. */
const when = <T>(value: T | undefined, name: string, run: (value: T) => Promise<string>): Check[] =>
  value === undefined ? [] : [{ name, run: () => run(value) }];

const unknownSetting = ({ name, nearest }: { readonly name: string; readonly nearest: string }): Check => ({
  name,
  run: () => Promise.reject(new WarningError(`there is no such setting, so it changes nothing. Is it ${nearest}?`)),
});

const installed = (): string => 'its packages are installed';

async function checkQueries(path: string): Promise<string> {
  return `documents on the list: ${(await readPersistedQueries(path)).size}`;
}

/** Opens the log file, or tries its folder. A file that this user made could be one that the processes may not write. */
async function checkLogFile(path: string): Promise<string> {
  try {
    const file = await open(path, 'r+').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    if (file) await file.close();
    else await tryFolder(dirname(resolve(path)));
  } catch (error) {
    throw notWritable(path, error);
  }
  return `${path} can be written by this user`;
}

async function checkArchive(days: number, folder: string | undefined): Promise<string> {
  if (folder === undefined)
    throw new WarningError('AUDIT_RETENTION_DAYS without AUDIT_ARCHIVE_DIRECTORY: workers archive nothing');
  await tryFolder(folder).catch((error: NodeJS.ErrnoException) => {
    throw new StartupError(
      `AUDIT_ARCHIVE_DIRECTORY ${folder} cannot be written (${error.code}): make it, and let the user of the workers write there.`,
    );
  });
  return `after ${days} days into ${folder}, which this user can write`;
}

async function checkTarget(
  target: string,
  { s3Endpoint: endpoint, s3Region: region, ...backup }: Config['backup'],
): Promise<string> {
  if (isS3(target)) {
    const { s3AccessKeyId: accessKeyId, s3SecretAccessKey: secretAccessKey } = backup;
    const store = createS3Store({ target, endpoint, region, accessKeyId, secretAccessKey });
    await store.put(probeName, Readable.from([Buffer.from('riskgraph config check')]));
    await store.remove(probeName);
    return `${store.place} takes a file, and lets it be removed`;
  }
  const folder = resolve(target);
  await tryNearest(folder).catch((error: NodeJS.ErrnoException) => {
    throw new StartupError(
      `BACKUP_TARGET ${folder} cannot be written (${error.code}): make it, and let the user of the workers write there.`,
    );
  });
  return `${folder} can be written by this user`;
}

/** Begins the names of what the checks write. */
const probeName = '.riskgraph-check-';

/** Makes a folder within a folder, and removes it again. */
async function tryFolder(folder: string): Promise<void> {
  await rmdir(await mkdtemp(join(folder, probeName)));
}

/** Tries a folder, or the nearest one above it that exists: the first backup makes those that are missing. */
async function tryNearest(folder: string): Promise<void> {
  await tryFolder(folder).catch(async (error: NodeJS.ErrnoException) => {
    const exists = await stat(folder).then(
      () => true,
      () => false,
    );
    if (exists || dirname(folder) === folder) throw error;
    await tryNearest(dirname(folder));
  });
}
