import type { AuditActor, AuditEntry, AuditTrail } from './audit-trail.js';

/**
 * Does something that must not go unrecorded: it is recorded as ALLOWED before it is begun, and once more as FAILED when it
 * does not come about.
 * @throws ServiceUnavailableError when it cannot be recorded: then nothing was done
 */
export async function audited<T>(audit: AuditTrail, actor: AuditActor, entry: Omit<AuditEntry, 'outcome'>, work: () => Promise<T>): Promise<T> {
  await audit.record(actor, { ...entry, outcome: 'ALLOWED' });
  try {
    return await work();
  } catch (error) {
    // Why it failed is more than that the failure could not be recorded too.
    await audit.record(actor, { ...entry, outcome: 'FAILED' }).catch(() => undefined);
    throw error;
  }
}
