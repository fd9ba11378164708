import type { QueryFilter } from 'mongoose';
import { Role, type StoredPatient } from '../../models/index.js';
import type { Viewer } from './viewer.js';

/** The party that reads patients: a viewer or, with the organization alone, the system itself. */
export type Member = Pick<Viewer, 'organizationId'> & Partial<Pick<Viewer, 'role' | 'username'>>;

/**
 * The access of a member to a patient. A patient is visible when the access is ALLOWED or BREAK_GLASS.
 * - ALLOWED: the patient has no care team, or the care team names the member, or the member is no clinician. Other
 *   roles see no names, so care teams do not bind them.
 * - BREAK_GLASS: a grant to the member is valid. The clinician gave a reason for it. Every access under it is flagged.
 * - DENIED: all other cases.
 */
export type CareTeamAccess = 'ALLOWED' | 'BREAK_GLASS' | 'DENIED';

/** The fields of a patient that decide on access. */
type CareTeamRecord = Pick<StoredPatient, 'careTeam' | 'breakGlass'>;

export function careTeamAccess(
  { role, username }: Member,
  { careTeam, breakGlass }: CareTeamRecord,
  now = new Date(),
): CareTeamAccess {
  if (role !== Role.CLINICIAN || careTeam === undefined || careTeam.includes(username!)) return 'ALLOWED';
  return breakGlass?.some((grant) => grant.username === username && grant.expiresAt > now) ? 'BREAK_GLASS' : 'DENIED';
}

/** The end of the grant by which a member sees a patient. Undefined when the access is not BREAK_GLASS. */
export function breakGlassEnd(member: Member, patient: CareTeamRecord, now = new Date()): Date | undefined {
  if (careTeamAccess(member, patient, now) !== 'BREAK_GLASS') return undefined;
  const ends = patient.breakGlass!.flatMap(({ username, expiresAt }) =>
    username === member.username ? [expiresAt] : [],
  );
  return new Date(Math.max(...ends.map(Number)));
}

/** The same rule as a filter: it matches the patients that are visible. Undefined when all patients are visible. */
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

/**
 * A fence: it hides the patients that are DENIED to a member. `filter` does so in a query, `admits` for a document that
 * was read without that filter.
 */
interface PatientFence {
  /** Fences of one organization with the same name are the same. */
  readonly name: string;
  /** The filter for a query that is sent now: grants may have ended since the last one. */
  readonly filter: QueryFilter<StoredPatient>;
  admits(patient: CareTeamRecord): boolean;
}

/** The fence of a member. Undefined when all patients are visible. */
export function patientFence(member: Member): PatientFence | undefined {
  return visiblePatients(member) && new MemberFence(member);
}

class MemberFence implements PatientFence {
  constructor(private readonly member: Member) {}

  get name() {
    return `${this.member.role} ${this.member.username}`;
  }
  get filter() {
    return visiblePatients(this.member)!;
  }
  admits(patient: CareTeamRecord): boolean {
    return careTeamAccess(this.member, patient) !== 'DENIED';
  }
}
