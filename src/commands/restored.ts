import { Command } from 'commander';
import { endAllCredentials, type EndedInOrganization } from '../backup/end-all-credentials.js';
import type { Config } from '../config/config.js';
import { StartupError } from '../errors.js';
import { createRevocationEpochs } from '../identity/revocation/revocation-epoch.js';
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
      const database = await connectLocalDatabase(config);
      try {
        const { models } = database;
        const seen = await readSeenEpoch(config);
        const { ended, epoch } = await withCommandTrail(config, models, 'restored', ({ audit }) =>
          endAllCredentials({ models, audit, seen, actorOf: commandActor }),
        );
        printEnded(ended);
        await announceEpoch(config, epoch);
      } finally {
        await database.close();
      }
      printLine(afterRestore);
    });
}

/** Says which credentials were ended. */
export function printEnded(ended: readonly EndedInOrganization[]): void {
  for (const { slug, sessions, apiKeys } of ended)
    printLine(`${slug}: ${sessions} sessions and ${apiKeys} API keys ended, and all other tokens`);
}

/** The advice that is printed after a restore. */
export const afterRestore =
  'Users log in again, and machines need new API keys. Users who were disabled or changed their password after ' +
  'the backup have their old state: go through "riskgraph user list" before you let callers in.';

/**
 * Reads the number of revocations that Redis has seen; 0 without a Redis.
 * @throws StartupError when it does not answer
 */
export async function readSeenEpoch(config: Config): Promise<number> {
  const seen = (await withRedis(config, (redis) => createRevocationEpochs(redis, config.redisPrefix).read())) ?? 0;
  if (seen === 'away')
    throw new StartupError('Redis does not answer: start it, or leave REDIS_URL out if there is none.');
  return seen;
}

/** Announces a number of revocations, so that running processes read the revocations again. */
export async function announceEpoch(config: Config, epoch: number): Promise<void> {
  await withRedis(config, (redis) => createRevocationEpochs(redis, config.redisPrefix).announce(epoch));
}
