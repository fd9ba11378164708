import type { Types } from 'mongoose';
import { Role, type StoredPatient } from '../../models/index.js';
import { careTeamAccess } from '../auth/care-team.js';
import type { Viewer } from '../auth/viewer.js';
import { toObjectId } from '../input.js';
import type { ScopeOf } from '../scope/organization-scope.js';
import { shareReads } from './shared-reads.js';

/** The part of a viewer that decides which patients are visible. */
export type Follower = Pick<Viewer, 'organizationId' | 'role' | 'username'>;

/**
 * Selects predictions of patients that are visible to a follower, in the same order. Followers of one organization share
 * the reads of care teams for a second, so a screen of a ward costs little while all other wards are scored. What is
 * selected is examined again when it is read.
 */
type SelectVisible = <T extends { readonly patient: Types.ObjectId }>(
  follower: Follower,
  predictions: readonly T[],
) => Promise<readonly T[]>;

type CareTeam = Pick<StoredPatient, '_id' | 'careTeam' | 'breakGlass'>;

export function createVisibleLog(scopeOf: ScopeOf): SelectVisible {
  const careTeam = shareReads<string, CareTeam>(
    (organizationId) => organizationId,
    async (organizationId, ids) => {
      const teams = await scopeOf({ organizationId }).careTeamsOf(ids.flatMap((id) => toObjectId(id) ?? []));
      const byId = new Map(teams.map((patient) => [patient._id.toHexString(), patient]));
      return ids.map((id) => byId.get(id) ?? null);
    },
  );

  return async (follower, predictions) => {
    if (follower.role !== Role.CLINICIAN) return predictions;
    const patients = [...new Set(predictions.map(({ patient }) => patient.toHexString()))];
    const teams = await Promise.all(patients.map((id) => careTeam(follower.organizationId, id)));
    const closed = new Set(
      patients.filter((_id, index) => teams[index] && careTeamAccess(follower, teams[index]) === 'DENIED'),
    );
    return closed.size === 0 ? predictions : predictions.filter(({ patient }) => !closed.has(patient.toHexString()));
  };
}
