/*
 * Care teams as callers write them. A clinician writes the team of a patient whom they see (patient-service.ts), and is
 * then one of its members. An administrator hands a patient over to another team, without seeing the patient.
 */
import { z } from 'zod';
import { type AuditTrail, recorded } from '../audit/audit-trail.js';
import { authorize } from '../auth/authorize.js';
import type { Viewer } from '../auth/viewer.js';
import { BadUserInputError, NotFoundError, type FieldError } from '../errors.js';
import { idOrNone, parseInput } from '../input.js';
import type { OrganizationScope, ScopeOf } from '../scope/organization-scope.js';
import { isEnabledClinician, openVacantTeams } from '../scope/vacant-care-teams.js';
import { careTeamSchema } from './patient-input.js';

const assignCareTeamSchema = z
  .object({ patientId: z.string(), careTeam: careTeamSchema })
  // A team that was forgotten must not open the patient to every clinician.
  .refine(({ careTeam }) => careTeam !== undefined, {
    path: ['careTeam'],
    message: 'must be given: the usernames of the team, or null to let every clinician see the patient',
  });
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
  const clinicians = await enabledClinicians({ users }, added);
  const issues = memberIssues(careTeam, (name) => accepted.includes(name) || clinicians.has(name));
  if (issues.length > 0) throw new BadUserInputError(issues);
}

/** Selects the names that are enabled clinicians of the organization. */
export async function enabledClinicians(
  { users }: Pick<OrganizationScope, 'users'>,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  if (names.length === 0) return new Set();
  const found = await users.find(
    { username: { $in: [...names] } },
    { projection: { username: 1, role: 1, disabled: 1 } },
  );
  return new Set(found.filter(isEnabledClinician).map(({ username }) => username));
}

/** The issues with the members of a care team. They name the places of the names, and never the names. */
export const memberIssues = (careTeam: readonly string[], isAccepted: (name: string) => boolean): FieldError[] =>
  careTeam.flatMap((name, index) =>
    isAccepted(name)
      ? []
      : [{ path: `careTeam[${index}]`, message: 'must be the username of an enabled clinician of your organization' }],
  );

/** The issue with a care team that a clinician gives: without the viewer, who could not see the patient afterwards. */
export const ownTeamIssues = (careTeam: readonly string[], { username }: Viewer): FieldError[] =>
  careTeam.includes(username)
    ? []
    : [{ path: 'careTeam', message: 'must contain your own username: you could not see the patient afterwards' }];
