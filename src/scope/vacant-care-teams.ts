/*
 * Vacant care teams: those without any enabled clinician. Without a remedy, no user could see their patients again.
 *
 * - A vacant team is moved from `careTeam` to `formerCareTeam`. The patient is then visible to every clinician.
 * - When one of its members is an enabled clinician again, the team is moved back.
 * - A member without a stored user counts as an enabled clinician: such a caller has proved to be one. So does a user of
 *   the identity provider who is not disabled: each token of theirs names the role.
 */
import type { QueryFilter } from 'mongoose';
import { Role, type StoredPatient, type User } from '../../models/index.js';
import type { OrganizationScope } from './organization-scope.js';

type CareTeamScope = Pick<OrganizationScope, 'users' | 'careTeams'>;

/** Tells whether a user can be a member of a care team. */
export const isEnabledClinician = ({ role, disabled }: Pick<User, 'role' | 'disabled'>): boolean =>
  role === Role.CLINICIAN && disabled !== true;

/** Makes the matching patients whose care team is vacant visible to every clinician. */
export async function openVacantTeams(
  { users, careTeams }: CareTeamScope,
  patients: QueryFilter<StoredPatient>,
): Promise<void> {
  const away = await users.find(
    { $or: [{ disabled: true }, { role: { $ne: Role.CLINICIAN }, passwordHash: { $exists: true } }] },
    { projection: { username: 1 } },
  );
  if (away.length === 0) return;
  const atWork = { $elemMatch: { $nin: away.map(({ username }) => username) } };
  await careTeams.updateMany(
    { $and: [patients, { careTeam: { $exists: true, $not: atWork } }] },
    { $rename: { careTeam: 'formerCareTeam' } },
  );
}

/** Follows a change of a user: opens the care teams that it leaves vacant, and restores those that it ends. */
export async function followMember(
  scope: CareTeamScope,
  user: Pick<User, 'username' | 'role' | 'disabled'>,
): Promise<void> {
  const { username } = user;
  if (!isEnabledClinician(user)) return openVacantTeams(scope, { careTeam: username });
  await scope.careTeams.updateMany({ formerCareTeam: username }, { $rename: { formerCareTeam: 'careTeam' } });
}
