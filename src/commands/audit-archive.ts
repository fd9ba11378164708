import { Command } from 'commander';
import { join } from 'node:path';
import { archiveChains } from '../audit/archive-chains.js';
import { auditKeys } from '../audit/audit-writer.js';
import { StartupError } from '../errors.js';
import { commandActor, withCommandTrail } from './command-trail.js';
import { commandConfig, wholeNumber } from './environment.js';
import { connectLocalDatabase } from './local-access.js';
import { printLine } from './print.js';

const dayMs = 86_400_000;

interface ArchiveOptions {
  readonly org?: string;
  readonly days?: number;
  readonly directory?: string;
}

/** `riskgraph audit archive`: moves old events into files. */
export const auditArchiveCommand = (): Command =>
  new Command('archive')
    .description('write events that are older than AUDIT_RETENTION_DAYS to files, and remove them from the database')
    .option('--org <slug>', 'one organization (default: all)')
    .option('--days <number>', 'age in days (default: AUDIT_RETENTION_DAYS)', wholeNumber(1, 36_500))
    .option('--directory <path>', 'an existing folder (default: AUDIT_ARCHIVE_DIRECTORY)')
    .action(async ({ org, days, directory }: ArchiveOptions) => {
      const config = commandConfig({ LOG_LEVEL: 'warn' });
      const age = days ?? config.auditRetentionDays;
      const folder = directory ?? config.auditArchiveDirectory;
      if (age === undefined) throw new StartupError('Nothing says how old: set AUDIT_RETENTION_DAYS, or give --days.');
      if (folder === undefined)
        throw new StartupError('Nothing says where to: set AUDIT_ARCHIVE_DIRECTORY, or give --directory.');
      const database = await connectLocalDatabase(config);
      try {
        await withCommandTrail(config, database.models, 'audit', async ({ audit, protection: { protectionOf } }) => {
          const made = archiveChains(
            {
              models: database.models,
              keyOf: auditKeys(protectionOf),
              audit,
              actorOf: commandActor,
              directory: folder,
            },
            { before: new Date(Date.now() - age * dayMs), ...(org !== undefined && { slug: org }) },
          );
          let total = 0;
          for await (const { slug, file, events, end } of made) {
            total += events;
            printLine(`${slug}: ${events} events are in ${join(folder, file)}, anchor ${end.sequence}:${end.hash}`);
          }
          if (total === 0) printLine(`No event is older than ${age} days.`);
        });
      } finally {
        await database.close();
      }
    });
