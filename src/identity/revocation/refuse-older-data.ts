import { StartupError } from '../../errors.js';
import type { RevocationEpochs } from './revocation-epoch.js';
import type { RevocationStore } from './revocation-store.js';

/**
 * Refuses data that went back in time. Each revocation raises a number in MongoDB first and in Redis after that. When
 * Redis has a higher one, MongoDB was restored from a backup, and credentials that were revoked since would work again.
 * Redis may be wiped, so an operator must run `riskgraph restored` after a restore even if no start is refused.
 * @throws StartupError that names the command
 */
export async function refuseOlderData(
  store: Pick<RevocationStore, 'epoch'>,
  epochs: Pick<RevocationEpochs, 'read'>,
): Promise<void> {
  // Redis is read first. Another process may revoke between the two reads.
  const seen = await epochs.read();
  if (typeof seen !== 'number') return;
  const stored = await store.epoch();
  if (seen <= stored) return;
  throw new StartupError(
    `MongoDB was restored from a backup: it has ${stored} revocations of credentials, and Redis has seen ${seen}. ` +
      'Run "riskgraph restored", which ends all credentials of before, so that revoked ones do not work again.',
  );
}
