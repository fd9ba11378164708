import { Command } from 'commander';
import type { Redis } from 'ioredis';
import type { Organization } from '../../models/index.js';
import { recorded } from '../audit/audit-trail.js';
import { StartupError } from '../errors.js';
import { endCredentials } from '../identity/end-credentials.js';
import { createRevocationEpochs, type RevocationEpochs } from '../identity/revocation/revocation-epoch.js';
import { createRevocationStore } from '../identity/revocation/revocation-store.js';
import { commandActor, withCommandTrail } from './command-trail.js';
import { commandConfig } from './environment.js';
import { connectLocalDatabase } from './local-access.js';
import { printLine } from './print.js';
import { withRedis } from './with-redis.js';

/**
 * `riskgraph restored`: makes a database safe that was restored from a backup. A backup holds the credentials of its
 * time, so those that were revoked since would work again. Nothing in the backup tells which these are.
 */
export function restoredCommand(): Command {
  return new Command('restored')
    .description(
      'after MongoDB was restored from a backup: end all sessions, API keys and tokens of before, because the backup ' +
        'does not know which of them were revoked since',
    )
    .action(async () => {
      const config = commandConfig({ LOG_LEVEL: 'warn' });
      const epochsOf = (redis: Redis): RevocationEpochs => createRevocationEpochs(redis, config.redisPrefix);
      const database = await connectLocalDatabase(config);
      try {
        const { models } = database;
        const store = createRevocationStore(models);
        const seen = (await withRedis(config, (redis) => epochsOf(redis).read())) ?? null;
        if (seen === 'away')
          throw new StartupError('Redis does not answer: start it, or leave REDIS_URL out if there is none.');
        // Above what Redis has seen, so that processes read the revocations again, and the next start is not refused.
        await store.raiseEpoch(seen ?? 0);
        const organizations = await models.organizations.find({}, { slug: 1 }).sort({ slug: 1 }).lean<Organization[]>();
        await withCommandTrail(config, models, 'restored', async ({ audit }) => {
          for (const { _id, slug } of organizations) {
            const { sessions, apiKeys } = await recorded(
              audit,
              commandActor(_id.toHexString()),
              { action: 'credential:end-all' },
              () => endCredentials(models, store, _id),
            );
            printLine(`${slug}: ${sessions} sessions and ${apiKeys} API keys ended, and all other tokens`);
          }
        });
        const epoch = await store.epoch();
        await withRedis(config, (redis) => epochsOf(redis).announce(epoch));
      } finally {
        await database.close();
      }
      printLine(
        'Users log in again, and machines need new API keys. Users who were disabled or changed their password after ' +
          'the backup have their old state: go through "riskgraph user list" before you let callers in.',
      );
    });
}
