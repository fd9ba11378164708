import { qualifiedUsername, type Viewer } from '../../auth/viewer.js';
import { RateLimitedError, ServiceUnavailableError } from '../../errors.js';
import { createCounts } from '../counts.js';

/** Time after which a refused client may try again, seconds. */
const retryAfterSeconds = 5;

/** Limits how many long requests of one kind are under way in this process. Each holds some memory until it ends. */
export interface BulkPlaces {
  /**
   * Takes a place.
   * @returns a function that gives it back; a second call does no harm
   * @throws RateLimitedError when the user or the organization has too many, ServiceUnavailableError when the process has
   */
  take(viewer: Viewer): () => void;
}

/** @param what names the requests in messages, e.g. `cohorts` */
export function createBulkPlaces(
  what: string,
  {
    perUser,
    perOrganization,
    perNode,
  }: {
    readonly perUser: number;
    /** Less than all of them, so that an organization that takes all its places leaves some to others. */
    readonly perOrganization: number;
    readonly perNode: number;
  },
): BulkPlaces {
  const ofUser = createCounts();
  const ofOrganization = createCounts();
  let taken = 0;
  return {
    take(viewer) {
      const user = qualifiedUsername(viewer);
      if (ofUser.of(user) >= perUser)
        throw new RateLimitedError(
          `This user has ${perUser} ${what} under way on this server, which is the limit: send the next one after an ` +
            'answer.',
          retryAfterSeconds,
        );
      if (ofOrganization.of(viewer.organizationId) >= perOrganization)
        throw new RateLimitedError(
          `This organization has ${perOrganization} ${what} under way on this server, which is the limit: send the next ` +
            'one after an answer.',
          retryAfterSeconds,
        );
      if (taken >= perNode)
        throw new ServiceUnavailableError(
          `This server has ${perNode} ${what} under way, which is the limit: try again in a moment.`,
        );
      ofUser.add(user, 1);
      ofOrganization.add(viewer.organizationId, 1);
      taken += 1;
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        ofUser.add(user, -1);
        ofOrganization.add(viewer.organizationId, -1);
        taken -= 1;
      };
    },
  };
}
