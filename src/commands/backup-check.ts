import { lastBackups } from '../backup/backup-records.js';
import { openCatalogue } from '../backup/backup-settings.js';
import type { Config } from '../config/config.js';
import { StartupError } from '../errors.js';
import { NotCheckedError } from './checks.js';
import type { LocalDatabase } from './local-access.js';

/** Checks that the last complete backup is young enough, and still in BACKUP_TARGET. @param mostHours its greatest age */
export async function checkBackup(
  database: LocalDatabase | undefined,
  config: Pick<Config, 'backup'>,
  mostHours: number,
): Promise<string> {
  const { backup } = config;
  if (!database) throw new NotCheckedError('the settings of the deployment are not here');
  const { completed, newest } = await lastBackups(database.models);
  if (!completed && backup.target === undefined)
    throw new NotCheckedError('BACKUP_TARGET is not set here: look after the backups of your MongoDB yourself');
  const failure = newest?.failure === undefined ? '' : `; the newest one failed: ${newest.failure}`;
  if (!completed) throw new StartupError(`there is none${failure}: run "riskgraph backup create"`);
  const hours = (Date.now() - completed.begunAt.getTime()) / 3_600_000;
  if (hours > mostHours)
    throw new StartupError(`the last one is ${hours.toFixed(1)} hours old${failure}: look into the log of the workers`);
  const found = `${completed._id}, ${hours.toFixed(1)} hours old${failure}`;
  if (backup.target === undefined)
    return `${found}; its file was not looked for, because BACKUP_TARGET is not set here`;
  const catalogue = openCatalogue(config);
  if (!(await catalogue.names()).includes(completed._id))
    throw new StartupError(
      `the last one, ${completed._id}, is not in ${catalogue.place}: mount its disk or bring the file back, else run ` +
        '"riskgraph backup create"',
    );
  return `${found}, in ${catalogue.place}`;
}
