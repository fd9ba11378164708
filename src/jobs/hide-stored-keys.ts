import type { Models, ScoringJob } from '../../models/index.js';
import { dropIndex } from '../database.js';
import { documentRounds } from '../document-rounds.js';
import type { ProtectionOf } from '../protection/protection.js';
import { indexRequest } from './idempotency.js';

/** The unique index of the time when an idempotency key was stored as it is. */
const plainIndex = 'organization_1_idempotencyKey_1';
const jobsPerRound = 500;

type PlainJob = Pick<ScoringJob, '_id' | 'organization'> & { readonly idempotencyKey: string; readonly requestHash: string };

/**
 * Replaces the idempotency keys of a database that was written before they were indexed blindly. Repeated requests keep
 * finding their jobs. Goes on where it was stopped, and several processes may do it at once.
 */
export async function hideStoredKeys({ scoringJobs }: Models, protectionOf: ProtectionOf): Promise<void> {
  for await (const round of documentRounds<PlainJob, ScoringJob>(scoringJobs, { idempotencyKey: { $type: 'string' } }, jobsPerRound)) {
    const operations = [];
    for (const { _id, organization, idempotencyKey, requestHash } of round) {
      const identity = indexRequest(await protectionOf(organization).writer(), idempotencyKey, requestHash);
      operations.push({ updateOne: { filter: { _id, idempotencyKey }, update: { $set: identity, $unset: { idempotencyKey: 1 } } } });
    }
    await scoringJobs.collection.bulkWrite(operations as never, { ordered: false });
  }
  await dropIndex(scoringJobs, plainIndex);
}
