import { writeFile } from 'node:fs/promises';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import Table from 'cli-table3';
import { Command } from 'commander';
import type { Connection } from 'mongoose';
import { createModels, type Models } from '../../models/index.js';
import { compareWithPlace, recordDrill } from '../backup/backup-records.js';
import { openCatalogue } from '../backup/backup-settings.js';
import { createBackup } from '../backup/create-backup.js';
import type { Catalogue, FoundBackup } from '../backup/catalogue.js';
import type { BackupSummary } from '../backup/manifest.js';
import { examineBackup, restoreBackup, type Restored } from '../backup/restore-backup.js';
import type { Config } from '../config/config.js';
import { readRuntime } from '../embedded/data-directory.js';
import { StartupError } from '../errors.js';
import { createLogger } from '../process/logger.js';
import { filesOutside, privateKey, progressBars, sourceOf, withScratchDatabase } from './backup-parts.js';
import { commandActor } from './command-trail.js';
import { commandConfig } from './environment.js';
import { failureLine } from './failure.js';
import { openLocalConnection } from './local-access.js';
import { printErrorLine, printLine } from './print.js';
import { afterRestore, announceEpoch, printEnded, readSeenEpoch } from './restored.js';
import { localMasterKeys } from './secret-key.js';

interface TargetOption {
  readonly target?: string;
}

interface IdentityOption extends TargetOption {
  readonly identity?: string;
}

const targetOption = ['--target <place>', 'a folder, or s3://bucket/prefix (default: BACKUP_TARGET)'] as const;
const identityOption = [
  '--identity <file>',
  'a file with the private key that opens the backup (default: the key in BACKUP_IDENTITY)',
] as const;

/** `riskgraph backup`: makes backups of the database, tries them, and brings them back. */
export function backupCommand(): Command {
  const backup = new Command('backup').description('backups of the database, its models and its settings');
  backup
    .command('key')
    .description('make a new pair of keys, as age-keygen does: backups are encrypted to the public one')
    .option('--out <file>', 'a new file for both, which its owner alone may read (default: print them)')
    .action(makeKeys);
  backup
    .command('create')
    .description('make a backup, while everything runs or with the embedded database stopped')
    .option(...targetOption)
    .action(async ({ target }: TargetOption) => {
      const config = commandConfig({ LOG_LEVEL: 'warn' });
      await withDatabase(config, (database, models) => create(config, openCatalogue(config, target), database, models));
    });
  backup
    .command('list')
    .description('print the complete backups, newest first')
    .option(...targetOption)
    .action(async ({ target }: TargetOption) => {
      const catalogue = openCatalogue(commandConfig(), target);
      printBackups(catalogue, await catalogue.list());
    });
  backup
    .command('verify')
    .description('read a backup to its end and compare it with its manifest')
    .argument('[name]', 'the backup (default: the newest)')
    .option('--restore', 'restore it into a scratch database too, and check everything in it')
    .option(...identityOption)
    .option(...targetOption)
    .action(verify);
  backup
    .command('restore')
    .description('restore a backup into an empty database, and end all credentials of before')
    .argument('<name>', 'the backup, as "riskgraph backup list" names it')
    .option(...identityOption)
    .option(...targetOption)
    .action(restore);
  backup
    .command('prune')
    .description('remove the backups that BACKUP_KEEP_DAILY, _WEEKLY and _MONTHLY do not keep')
    .option(...targetOption)
    .action(async ({ target }: TargetOption) => {
      const config = commandConfig();
      await prune(config, openCatalogue(config, target));
    });
  backup
    .command('run')
    .description('make a backup, try it by a restore if BACKUP_IDENTITY is set, and prune: what the schedule does')
    .action(run);
  return backup;
}

async function makeKeys({ out }: { readonly out?: string }): Promise<void> {
  const identity = await generateX25519Identity();
  const shown = `# public key: ${await identityToRecipient(identity)}`;
  printLine(shown);
  if (out === undefined) printLine(identity);
  else await writeKeys(out, `${shown}\n${identity}\n`);
}

/** @throws StartupError for a file that is there: it may hold the only key of earlier backups */
async function writeKeys(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600, flag: 'wx', flush: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    throw new StartupError(
      `--out: ${path} is there already, and may hold the key of earlier backups: name a new file.`,
    );
  });
}

async function withDatabase<T>(config: Config, work: (database: Connection, models: Models) => Promise<T>): Promise<T> {
  const { connection, close } = await openLocalConnection(config);
  return work(connection, createModels(connection)).finally(close);
}

async function create(
  config: Config,
  catalogue: Catalogue,
  database: Connection,
  models: Models,
): Promise<BackupSummary> {
  const bars = progressBars();
  const summary = await createBackup({
    database,
    models,
    catalogue,
    recipients: config.backup.recipients,
    files: await filesOutside(config, process.env),
    describe: failureLine,
    onProgress: (done, total) => bars.show('reading', done, total),
  }).finally(() => bars.stop());
  const seconds = (summary.endedAt.getTime() - summary.begunAt.getTime()) / 1_000;
  printLine(
    `${summary.name}: ${summary.documents} documents, ${megabytes(summary.bytes)}, in ${seconds.toFixed(1)} s, in ${catalogue.place}`,
  );
  return summary;
}

async function verify(
  name: string | undefined,
  { target, identity: file, restore: drilling }: IdentityOption & { readonly restore?: boolean },
): Promise<void> {
  const config = commandConfig({ LOG_LEVEL: 'warn' });
  const catalogue = openCatalogue(config, target);
  const identity = await privateKey(config, file);
  const backup = await catalogue.find(name);
  if (drilling) {
    const drilled = await drill(config, catalogue, backup, identity);
    await recordOwnDrill(config, backup.name, drilled);
    return;
  }
  const bars = progressBars();
  const { documents } = await examineBackup(sourceOf(catalogue, backup.name, identity), (done) =>
    bars.show('reading', done, backup.summary?.documents ?? done),
  ).finally(() => bars.stop());
  printLine(`${backup.name}: whole, ${documents} documents as its manifest says`);
}

/** Records a drill by hand in the database of this deployment, if its settings are here. The drill counts without it too. */
async function recordOwnDrill(config: Config, name: string, outcome: Drilled): Promise<void> {
  if (!config.mongoUri && !(await readRuntime(config.dataDirectory))) return;
  await withDatabase(config, (_database, models) => recordDrill(models, name, outcome)).catch((error: unknown) =>
    printErrorLine(`the drill is noted with the backup, and not in the database: ${failureLine(error)}`),
  );
}

/** Seconds of the restore, and of the whole drill. */
interface Drilled {
  readonly restoreSeconds: number;
  readonly drillSeconds: number;
}

/**
 * Restores a backup into a scratch database, checks everything in it, and notes the time that it took.
 */
async function drill(config: Config, catalogue: Catalogue, backup: FoundBackup, identity: string): Promise<Drilled> {
  const begun = performance.now();
  const restored = await withScratchDatabase((database) =>
    restoreInto(config, database, catalogue, backup, identity, { seenEpoch: 0, check: true }),
  );
  const drillSeconds = (performance.now() - begun) / 1_000;
  await catalogue.noteRestored(backup, restored);
  printLine(
    `${backup.name}: restored in ${restored.restoreSeconds.toFixed(1)} s, ${restored.documents} documents and ` +
      `${restored.auditEvents} audit events as they were; the drill took ${drillSeconds.toFixed(1)} s`,
  );
  return { restoreSeconds: restored.restoreSeconds, drillSeconds };
}

async function restoreInto(
  config: Config,
  database: Connection,
  catalogue: Catalogue,
  { name, summary }: FoundBackup,
  identity: string,
  options: { readonly seenEpoch: number; readonly check?: boolean },
): Promise<Restored> {
  const bars = progressBars();
  return restoreBackup({
    source: sourceOf(catalogue, name, identity),
    database,
    models: createModels(database),
    masterKeys: await localMasterKeys(config),
    actorOf: commandActor,
    logger: createLogger(config.logLevel, 'riskgraph-backup'),
    onProgress: (step, done) => bars.show(step, done, summary?.documents ?? done),
    ...options,
  }).finally(() => bars.stop());
}

async function restore(name: string, { target, identity: file }: IdentityOption): Promise<void> {
  const config = commandConfig({ LOG_LEVEL: 'warn' });
  const catalogue = openCatalogue(config, target);
  const identity = await privateKey(config, file);
  const backup = await catalogue.find(name);
  const seenEpoch = await readSeenEpoch(config);
  const { connection, close } = await openLocalConnection(config, { create: true });
  try {
    const { documents, settled, ended, epoch, restoreSeconds } = await restoreInto(
      config,
      connection,
      catalogue,
      backup,
      identity,
      { seenEpoch },
    );
    printLine(`${name}: ${documents} documents restored in ${restoreSeconds.toFixed(1)} s`);
    const { ofMissingJobs, ofMissingPatients, latestResults, duplicates } = settled;
    printLine(
      `operations that were under way when it was made: ${ofMissingJobs} documents of jobs and ${ofMissingPatients} ` +
        `of patients that are not in it and ${duplicates} second ones were left out, ${latestResults} latest results replaced`,
    );
    printEnded(ended);
    await announceEpoch(config, epoch);
    printLine(afterRestore);
  } finally {
    await close();
  }
}

async function prune(config: Config, catalogue: Catalogue): Promise<void> {
  const { keepDaily: daily, keepWeekly: weekly, keepMonthly: monthly } = config.backup;
  const removed = await catalogue.prune({ daily, weekly, monthly });
  for (const name of removed) printLine(`${name}: removed`);
  printLine(`${removed.length} backups removed, ${(await catalogue.list()).length} kept in ${catalogue.place}`);
}

async function run(): Promise<void> {
  const config = commandConfig({ LOG_LEVEL: 'warn' });
  const catalogue = openCatalogue(config);
  await withDatabase(config, async (database, models) => {
    const summary = await create(config, catalogue, database, models);
    if (config.backup.identity === undefined) {
      printLine('not tried by a restore: BACKUP_IDENTITY is not set');
    } else {
      try {
        await recordDrill(
          models,
          summary.name,
          await drill(config, catalogue, { ...summary, summary }, await privateKey(config)),
        );
      } catch (error) {
        await recordDrill(models, summary.name, { failure: failureLine(error) }).catch(() => undefined);
        throw error;
      }
    }
    await prune(config, catalogue);
    await compareWithPlace(models, catalogue);
  });
}

function printBackups(catalogue: Catalogue, backups: readonly FoundBackup[]): void {
  const table = new Table({
    head: ['backup', 'begun at', 'documents', 'size', 'restored by a drill'],
    style: { head: [], border: [] },
  });
  for (const { name, begunAt, summary } of backups)
    table.push([
      name,
      begunAt.toISOString(),
      summary?.documents ?? notKnown,
      summary ? megabytes(summary.bytes) : notKnown,
      summary ? drillOf(summary) : notKnown,
    ]);
  process.stdout.write(backups.length === 0 ? `no backups in ${catalogue.place}\n` : `${table.toString()}\n`);
  if (backups.some(({ summary }) => !summary))
    printLine(
      'not known: the .json of the backup is missing or cannot be read. Its archive can be verified and restored without it.',
    );
}

const notKnown = 'not known';

const drillOf = ({ restoredAt, restoreSeconds }: BackupSummary): string =>
  restoredAt ? `${restoredAt.toISOString()}, in ${restoreSeconds?.toFixed(1)} s` : 'not yet';

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;
