import type { Models } from '../../models/index.js';

/**
 * Removes expired sessions, and revocations of credentials that have expired on their own. It compares times, as the
 * embedded MongoDB has no TTL indexes. It may run at any time: every reader of these documents checks their times
 * itself.
 * @returns how many documents were removed
 */
export async function expireCredentials(
  { sessions, revocations }: Pick<Models, 'sessions' | 'revocations'>,
  now = new Date(),
): Promise<number> {
  const ended = await sessions.deleteMany({ expiresAt: { $lte: now } });
  const forgotten = await revocations.deleteMany({ keepUntil: { $lte: now }, blocked: { $ne: true } });
  return ended.deletedCount + forgotten.deletedCount;
}
