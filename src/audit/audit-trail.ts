import type { ScoringJob } from '../../models/index.js';
import type { Action } from '../auth/permissions.js';
import type { Viewer } from '../auth/viewer.js';
import type { GroupResult } from '../storage/group-commit.js';

/** The action that was done or tried: one of the permission table, or one that needs no permission. */
export type AuditAction =
  | Action
  | 'session:login'
  | 'session:refresh'
  /** A refresh token was used a second time. It may be stolen, so its session was ended. */
  | 'session:refresh-reused'
  | 'session:logout'
  /** An operator signed an access token on the command line, without a login. */
  | 'access-token:issue'
  /** All credentials of the organization were ended on the command line, after a restore. */
  | 'credential:end-all'
  /** The search by the first characters of MRN and family name was switched on or off on the command line. */
  | 'patient-search:switch'
  /** A worker disabled an endpoint of webhooks, because its receiver fails for days or is gone. */
  | 'webhook:disable'
  /** A worker removed predictions after the time for which they are kept. */
  | 'prediction:expire'
  /** Events were written to an archive, and are then removed from the database. */
  | 'audit:archive'
  /** A risk model was added, retired or made the default on the command line. */
  | 'model:manage';

/**
 * The outcome of an action.
 * - ALLOWED: the caller was allowed to do it. The event is recorded before the work begins, so that all work is on
 *   record.
 * - FAILED: the work was allowed but failed, or a login had the wrong password.
 * - DENIED: the caller was refused.
 */
export type AuditOutcome = 'ALLOWED' | 'FAILED' | 'DENIED';

/** The object of an audit event, in addition to its patients. */
export interface AuditSubject {
  readonly kind:
    | 'USER'
    | 'API_KEY'
    | 'SCORING_JOB'
    | 'PREDICTION'
    | 'ENCRYPTION_KEY'
    | 'RISK_MODEL'
    | 'WEBHOOK_ENDPOINT'
    | 'AUDIT_ARCHIVE'
    | 'QUEUE';
  readonly id: string;
}

/** An event to record. It holds ids, codes and counts only: never a name, an MRN or a value. */
export interface AuditEntry {
  readonly action: AuditAction;
  readonly outcome: AuditOutcome;
  /** Hexadecimal ids of the patients whose data were read or written. */
  readonly patientIds?: readonly string[];
  readonly subject?: AuditSubject;
  /** True when a reviewer should look at the event: break-glass access, or a stolen refresh token. */
  readonly flagged?: boolean;
}

/** The user who did or tried it. Not every actor is a viewer: a failed login names a user, but proves nothing. */
export type AuditActor = Pick<Viewer, 'organizationId' | 'username' | 'origin'> & Partial<Pick<Viewer, 'role'>>;

/** The append-only record of actions: the user, the action, the patients, the time and the address. */
export interface AuditTrail {
  /**
   * Resolves when the event is durable. The caller waits for it before it shows or changes patient data.
   * @throws ServiceUnavailableError when the event cannot be written. The caller must then neither show nor change
   *   anything
   */
  record(actor: AuditActor, entry: AuditEntry): Promise<void>;
  /**
   * Records the submission of a job, and inserts the job right behind its event, in one write where MongoDB can do that.
   * @returns when both are durable. An error of the job, such as that of a unique index, is in the result; the event is
   *   recorded then
   * @throws ServiceUnavailableError when the event cannot be written, and so the job is not inserted; or, with a message
   *   that says so, when MongoDB does not tell whether both were
   */
  recordSubmission(actor: AuditActor, entry: AuditEntry, job: ScoringJob): Promise<GroupResult<void>>;
}

/**
 * Does work that must be on record. The event is durable before the work begins. When the work fails, a second event of
 * the same request says FAILED.
 */
export async function recorded<T>(
  audit: Pick<AuditTrail, 'record'>,
  actor: AuditActor,
  entry: Omit<AuditEntry, 'outcome'>,
  work: () => Promise<T>,
): Promise<T> {
  await audit.record(actor, { ...entry, outcome: 'ALLOWED' });
  return orRecordFailure(audit, actor, entry, work);
}

/** Does the same as `recorded` for the submission of a job, which is inserted together with the event. */
export async function recordedSubmission<T>(
  audit: AuditTrail,
  actor: AuditActor,
  { job, ...entry }: Omit<AuditEntry, 'outcome'> & { readonly job: ScoringJob },
  work: (inserted: GroupResult<void>) => Promise<T>,
): Promise<T> {
  const inserted = await audit.recordSubmission(actor, { ...entry, outcome: 'ALLOWED' }, job);
  return orRecordFailure(audit, actor, entry, () => work(inserted));
}

async function orRecordFailure<T>(
  audit: Pick<AuditTrail, 'record'>,
  actor: AuditActor,
  entry: Omit<AuditEntry, 'outcome'>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // The caller needs the error of the work. The log holds the error of a missing second event.
    await audit.record(actor, { ...entry, outcome: 'FAILED' }).catch(() => undefined);
    throw error;
  }
}

/** Records that data of patients are about to be shown. Without patients it records nothing. */
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
