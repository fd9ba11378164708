/*
 * Care teams as callers write them. A clinician writes the team of a patient whom they see (patient-service.ts), and is
 * then one of its members. An administrator hands a patient over to another team, without seeing the patient.
 */
import { z } from 'zod';
import { type AuditTrail, recorded } from '../audit/audit-trail.js';
import { authorize } from '../auth/authorize.js';
import type { Viewer } from '../auth/viewer.js';
import { BadUserInputError, NotFoundError } from '../errors.js';
import { idOrNone, parseInput } from '../input.js';
import type { OrganizationScope, ScopeOf } from '../scope/organization-scope.js';
import { isEnabledClinician, openVacantTeams } from '../scope/vacant-care-teams.js';
import { careTeamSchema } from './patient-input.js';

const assignCareTeamSchema = z.object({ patientId: z.string(), careTeam: careTeamSchema });
type AssignCareTeam = z.input<typeof assignCareTeamSchema>;

/** Hands patients over. */
export interface CareTeamService {
  /**
   * Gives a patient another care team, or none. The event is flagged.
   * @throws BadUserInputError, NotFoundError
   */
  assign(viewer: Viewer | null, input: AssignCareTeam): Promise<void>;
}

export function createCareTeamService({
  scopeOf,
  audit,
}: {
  readonly scopeOf: ScopeOf;
  readonly audit: AuditTrail;
}): CareTeamService {
  return {
    async assign(viewer, input) {
      authorize(viewer, 'care-team:assign');
      const { patientId, careTeam } = parseInput(assignCareTeamSchema, input);
      const scope = scopeOf(viewer);
      await refuseUnknownMembers(scope, careTeam ?? []);
      const patient = { _id: idOrNone(patientId) };
      if ((await scope.careTeams.find(patient, { projection: { _id: 1 } })).length === 0)
        throw new NotFoundError('This patient');
      await recorded(
        audit,
        viewer,
        { action: 'care-team:assign', patientIds: [patientId], flagged: true },
        async () => {
          const changed = await scope.careTeams.updateMany(patient, {
            ...(careTeam ? { $set: { careTeam, updatedAt: new Date() } } : { $set: { updatedAt: new Date() } }),
            $unset: { formerCareTeam: 1, ...(!careTeam && { careTeam: 1 }) },
            $inc: { version: 1 },
          });
          if (changed === 0) throw new NotFoundError('This patient');
          await openVacantTeams(scope, patient);
        },
      );
    },
  };
}

/**
 * Refuses names that are no enabled clinicians of the organization.
 * @param accepted names that need no check: the caller, who is one, and present members of the team
 * @throws BadUserInputError naming the places of the names, and never the names
 */
export async function refuseUnknownMembers(
  { users }: Pick<OrganizationScope, 'users'>,
  careTeam: readonly string[],
  accepted: readonly string[] = [],
): Promise<void> {
  const added = careTeam.filter((name) => !accepted.includes(name));
  if (added.length === 0) return;
  const found = await users.find({ username: { $in: added } }, { projection: { username: 1, role: 1, disabled: 1 } });
  const clinicians = new Set([...accepted, ...found.filter(isEnabledClinician).map(({ username }) => username)]);
  const issues = careTeam.flatMap((name, index) =>
    clinicians.has(name)
      ? []
      : [{ path: `careTeam[${index}]`, message: 'must be the username of an enabled clinician of your organization' }],
  );
  if (issues.length > 0) throw new BadUserInputError(issues);
}
