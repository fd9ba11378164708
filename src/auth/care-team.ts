import type { QueryFilter } from 'mongoose';
import { Role, type StoredPatient } from '../../models/index.js';
import type { Viewer } from './viewer.js';

/** Who looks: a viewer, or, with the organization alone, the system itself. */
export type Member = Pick<Viewer, 'organizationId'> & Partial<Pick<Viewer, 'role' | 'username'>>;

/**
 * Whether a patient is visible to a member.
 * - ALLOWED: the patient has no care team, or one that names the caller, or the caller is no clinician (other roles see no
 *   names, and are not bound to care teams)
 * - BREAK_GLASS: the caller has given a reason, and its time has not run out; whatever is seen is flagged
 * - DENIED
 */
export type CareTeamAccess = 'ALLOWED' | 'BREAK_GLASS' | 'DENIED';

/** What of a patient decides on access. */
type CareTeamRecord = Pick<StoredPatient, 'careTeam' | 'breakGlass'>;

export function careTeamAccess(
  { role, username }: Member,
  { careTeam, breakGlass }: CareTeamRecord,
  now = new Date(),
): CareTeamAccess {
  if (role !== Role.CLINICIAN || careTeam === undefined || careTeam.includes(username!)) return 'ALLOWED';
  return breakGlass?.some((grant) => grant.username === username && grant.expiresAt > now) ? 'BREAK_GLASS' : 'DENIED';
}

/** The same as a filter: the patients that are not DENIED. Undefined where all are visible. */
export function visiblePatients({ role, username }: Member, now = new Date()): QueryFilter<StoredPatient> | undefined {
  if (role !== Role.CLINICIAN) return undefined;
  return {
    $or: [
      { careTeam: { $exists: false } },
      { careTeam: username },
      { breakGlass: { $elemMatch: { username, expiresAt: { $gt: now } } } },
    ],
  };
}

/** Keeps patients that are DENIED to somebody from them: in a query, and of a document that was found without it. */
interface PatientFence {
  readonly filter: QueryFilter<StoredPatient>;
  admits(patient: CareTeamRecord): boolean;
}

/** Undefined where all patients are visible. */
export function patientFence(member: Member): PatientFence | undefined {
  const filter = visiblePatients(member);
  return filter && { filter, admits: (patient) => careTeamAccess(member, patient) !== 'DENIED' };
}
