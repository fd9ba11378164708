import type { Config } from '../config/config.js';
import { StartupError } from '../errors.js';
import { encrypterTo, requireIdentity } from './archive.js';
import { createCatalogue, type Catalogue } from './catalogue.js';
import { createDirectoryStore } from './directory-store.js';
import { createS3Store, isS3 } from './s3-store.js';

/** The place of the backups. @throws StartupError when none is named */
export function openCatalogue({ backup }: Pick<Config, 'backup'>, target = backup.target): Catalogue {
  if (target === undefined)
    throw new StartupError(
      'There is no place for backups: set BACKUP_TARGET, or give --target, e.g. /var/backups/riskgraph.',
    );
  if (!isS3(target)) return createCatalogue(createDirectoryStore(target));
  const { s3Endpoint: endpoint, s3Region: region, s3AccessKeyId, s3SecretAccessKey } = backup;
  const keys = { accessKeyId: s3AccessKeyId, secretAccessKey: s3SecretAccessKey };
  return createCatalogue(createS3Store({ target, endpoint, region, ...keys }));
}

/**
 * Checks the settings of backups before the first one is due.
 * @returns the place; undefined when BACKUP_TARGET is not set
 * @throws StartupError for settings with which no backup could be made or tried
 */
export function requireBackupSettings(config: Pick<Config, 'backup'>): Catalogue | undefined {
  const { target, recipients, identity } = config.backup;
  if (target === undefined) return undefined;
  encrypterTo(recipients);
  if (identity !== undefined) requireIdentity(identity);
  return openCatalogue(config);
}
