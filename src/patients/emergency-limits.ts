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

/**
 * Refuses a change of identity, sex or care team, and the removal of a value.
 * @throws ForbiddenError
 */
export async function refuseEmergencyChange(
  audit: AuditTrail,
  viewer: Viewer,
  patientId: string,
  { features, ...identity }: EmergencyChange,
): Promise<void> {
  const changesIdentity = Object.values(identity).some((value) => value !== undefined);
  if (!changesIdentity && !features?.some(({ value }) => value === null)) return;
  await refuse(audit, viewer, 'patient:write', patientId, 'change who this patient is, or remove values');
}

/** Refuses to erase the patient. @throws ForbiddenError */
export const refuseEmergencyErasure = (audit: AuditTrail, viewer: Viewer, patientId: string): Promise<never> =>
  refuse(audit, viewer, 'patient:delete', patientId, 'delete this patient');

/** Records the refusal here, and not with the other refusals, because this one is flagged. */
async function refuse(
  audit: AuditTrail,
  viewer: Viewer,
  action: 'patient:write' | 'patient:delete',
  patientId: string,
  remedy: string,
): Promise<never> {
  await audit.record(viewer, { action, outcome: 'DENIED', patientIds: [patientId], flagged: true });
  throw new ForbiddenError(
    `Emergency access is for reading and treating: ask a member of the patient's care team to ${remedy}.`,
  );
}
