/*
 * The limits of emergency access. A grant is for reading and treating: it adds and corrects values. What cannot be taken
 * back stays with the care team, since no old value is kept, and a patient that was erased cannot be reviewed.
 */
import type { AuditTrail } from '../audit/audit-trail.js';
import type { Viewer } from '../auth/viewer.js';
import { ForbiddenError } from '../errors.js';

/** A change of a patient, as far as emergency access limits it. A field that is absent does not change. */
interface EmergencyChange {
  readonly features?: readonly { readonly value: number | null }[] | null | undefined;
  readonly [identity: string]: unknown;
}

/** Tells whether a change is beyond emergency access: one of identity, sex or care team, or the removal of a value. */
export function exceedsEmergency({ features, ...identity }: EmergencyChange): boolean {
  return (
    Object.values(identity).some((value) => value !== undefined) || !!features?.some(({ value }) => value === null)
  );
}

/** The refusal of a change that is beyond emergency access. */
export const emergencyChangeRefusal = (): ForbiddenError => refusal('change who this patient is, or remove values');

/**
 * Refuses a change of identity, sex or care team, and the removal of a value.
 * @throws ForbiddenError
 */
export async function refuseEmergencyChange(
  audit: AuditTrail,
  viewer: Viewer,
  patientId: string,
  change: EmergencyChange,
): Promise<void> {
  if (exceedsEmergency(change)) await refuse(audit, viewer, 'patient:write', patientId, emergencyChangeRefusal());
}

/** Refuses to erase the patient. @throws ForbiddenError */
export const refuseEmergencyErasure = (audit: AuditTrail, viewer: Viewer, patientId: string): Promise<never> =>
  refuse(audit, viewer, 'patient:delete', patientId, refusal('delete this patient'));

/** Records the refusal here, and not with the other refusals, because this one is flagged. */
async function refuse(
  audit: AuditTrail,
  viewer: Viewer,
  action: 'patient:write' | 'patient:delete',
  patientId: string,
  error: ForbiddenError,
): Promise<never> {
  await audit.record(viewer, { action, outcome: 'DENIED', patientIds: [patientId], flagged: true });
  throw error;
}

const refusal = (remedy: string): ForbiddenError =>
  new ForbiddenError(
    `Emergency access is for reading and treating: ask a member of the patient's care team to ${remedy}.`,
  );
