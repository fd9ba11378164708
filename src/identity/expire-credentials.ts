import type { Models } from '../../models/index.js';

/**
 * Removes sessions that are over, and revocations of what has ended by itself. By the clock rather than by TTL indexes, which
 * the embedded MongoDB does not have. Nothing depends on when it runs: whoever reads them looks at the time.
 * @returns how many documents are gone
 */
export async function expireCredentials(
  { sessions, revocations }: Pick<Models, 'sessions' | 'revocations'>,
  now = new Date(),
): Promise<number> {
  const ended = await sessions.deleteMany({ expiresAt: { $lte: now } });
  const forgotten = await revocations.deleteMany({ keepUntil: { $lte: now }, blocked: { $ne: true } });
  return ended.deletedCount + forgotten.deletedCount;
}
