import type { Action } from '../auth/permissions.js';
import type { Viewer } from '../auth/viewer.js';

/** What was done, or tried: an action of the permission table, or one of those that need no permission. */
export type AuditAction =
  | Action
  | 'session:login'
  | 'session:refresh'
  /** A refresh token was used a second time: somebody has stolen it, and its session was ended. */
  | 'session:refresh-reused'
  | 'session:logout'
  /** An access token was signed on the command line, without a login. */
  | 'access-token:issue'
  /** New data keys were asked for, on the command line. */
  | 'encryption-key:rotate';

/**
 * - ALLOWED: the caller was let to do it. Recorded before it is done, so that nothing can be done unrecorded.
 * - FAILED: what was allowed did not come about, or a login had the wrong password.
 * - DENIED: the caller was refused.
 */
export type AuditOutcome = 'ALLOWED' | 'FAILED' | 'DENIED';

/** What an audit event is about, beside patients. */
export interface AuditSubject {
  readonly kind: 'USER' | 'API_KEY' | 'SCORING_JOB' | 'PREDICTION' | 'ENCRYPTION_KEY';
  readonly id: string;
}

/** One thing to record. Ids, codes and counts only: never a name, an MRN or a value. */
export interface AuditEntry {
  readonly action: AuditAction;
  readonly outcome: AuditOutcome;
  /** Hexadecimal ids of the patients whose data were read or written. */
  readonly patientIds?: readonly string[];
  readonly subject?: AuditSubject;
  /** Wants the attention of whoever reviews the trail: break-glass access, a stolen refresh token. */
  readonly flagged?: boolean;
}

/** Who did it. Not every actor is a viewer: a failed login names a user whom nobody has proved to be. */
export type AuditActor = Pick<Viewer, 'organizationId' | 'username' | 'origin'> & Partial<Pick<Viewer, 'role'>>;

/** The append-only record of who did what with whose data. */
export interface AuditTrail {
  /**
   * Resolves when the event is durable. Whoever is about to show or change patient data waits for it.
   * @throws ServiceUnavailableError when it cannot be written: then the caller must not get what it asked for
   */
  record(actor: AuditActor, entry: AuditEntry): Promise<void>;
}

/**
 * Does something that must not happen unrecorded: the event is durable before the work begins. Work that fails after
 * that leaves a second event, FAILED, of the same request.
 */
export async function recorded<T>(
  audit: AuditTrail,
  actor: AuditActor,
  entry: Omit<AuditEntry, 'outcome'>,
  work: () => Promise<T>,
): Promise<T> {
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
export async function recordRead(
  audit: AuditTrail,
  actor: AuditActor,
  action: AuditEntry['action'],
  patientIds: readonly string[],
  more: Pick<AuditEntry, 'subject' | 'flagged'> = {},
): Promise<void> {
  if (patientIds.length === 0) return;
  await audit.record(actor, { action, outcome: 'ALLOWED', patientIds: [...new Set(patientIds)], ...more });
}
