import type { AuditActor, AuditEntry, AuditTrail } from './audit-trail.js';

/**
 * Does something that must not happen unrecorded: the event is durable before the work begins. Work that fails after
 * that leaves a second event, FAILED, of the same request.
 */
export async function recorded<T>(audit: AuditTrail, actor: AuditActor, entry: Omit<AuditEntry, 'outcome'>, work: () => Promise<T>): Promise<T> {
  await audit.record(actor, { ...entry, outcome: 'ALLOWED' });
  try {
    return await work();
  } catch (error) {
    // What went wrong matters more to the caller; that this event is missing is in the log.
    await audit.record(actor, { ...entry, outcome: 'FAILED' }).catch(() => undefined);
    throw error;
  }
}

/** Records that data of patients are about to be shown. Nothing to show is nothing to record. */
export async function recordRead(audit: AuditTrail, actor: AuditActor, action: AuditEntry['action'], patientIds: readonly string[], more: Pick<AuditEntry, 'subject' | 'flagged'> = {}): Promise<void> {
  if (patientIds.length === 0) return;
  await audit.record(actor, { action, outcome: 'ALLOWED', patientIds: [...new Set(patientIds)], ...more });
}
