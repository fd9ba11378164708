import { Command } from 'commander';
import { createModels, type Repair } from '../../models/index.js';
import type { Config } from '../config/config.js';
import { StartupError } from '../errors.js';
import { migrateData } from '../predictions/migrate-data.js';
import { createLogger } from '../process/logger.js';
import { connectDatabase } from '../storage/database.js';
import { dataVersion } from '../storage/data-version.js';
import { commandConfig } from './environment.js';
import { namedDatabase } from './local-access.js';
import { printErrorLine, printLine } from './print.js';
import { startProgressBar, type ProgressBar } from './progress-bar.js';

/** `riskgraph migrate`: does before a start of API and worker what that start would do. */
export const migrateCommand = (): Command =>
  new Command('migrate')
    .description('bring the data of MONGO_URI to the version of this release, as a start of api, worker or up does too')
    .action(async () => {
      const config = commandConfig({ LOG_LEVEL: 'warn' });
      if (!config.mongoUri)
        throw new StartupError('MONGO_URI is not set: "riskgraph up" migrates the database that it brings.');
      printErrorLine(namedDatabase(config.mongoUri));
      await migrateWithProgress(config, config.mongoUri);
      printLine(`The data have version ${dataVersion}, that of this release.`);
    });

/** Migrates a database, with a progress bar while there is something to do. @throws StartupError for newer data */
export async function migrateWithProgress(config: Config, mongoUri: string): Promise<void> {
  const database = await connectDatabase(mongoUri, { tls: config.mongoTls });
  const bars = new Map<string, ProgressBar>();
  function onProgress({ _id, processed, total }: Repair): void {
    const bar = bars.get(_id) ?? startProgressBar(_id, total);
    bars.set(_id, bar);
    bar.update(processed, '', Math.max(total, processed));
  }
  try {
    await migrateData({
      database,
      models: createModels(database),
      leaseMs: config.jobLeaseMs,
      logger: createLogger(config.logLevel, 'riskgraph-migrate'),
      onProgress,
    });
  } finally {
    bars.forEach((bar) => bar.stop());
    await database.close();
  }
}
