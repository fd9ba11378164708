import type { Models, Organization } from '../../models/index.js';
import { recorded, type AuditActor, type AuditTrail } from '../audit/audit-trail.js';
import { endCredentials } from '../identity/end-credentials.js';
import { createRevocationStore } from '../identity/revocation/revocation-store.js';

/** The number of credentials that were ended in one organization. */
export interface EndedInOrganization {
  readonly slug: string;
  readonly sessions: number;
  readonly apiKeys: number;
}

/**
 * Ends every credential of before in all organizations, on record. A backup holds the credentials of its time, so those
 * that were revoked since would work again.
 * @param actorOf the actor of the audit events, by the id of the organization
 * @returns the new number of revocations. It is above the one that Redis has seen: announce it, so that running
 *   processes read the revocations again, and the next start is not refused
 */
export async function endAllCredentials({
  models,
  audit,
  seen,
  actorOf,
}: {
  readonly models: Models;
  readonly audit: AuditTrail;
  readonly seen: number;
  readonly actorOf: (organizationId: string) => AuditActor;
}): Promise<{ readonly ended: EndedInOrganization[]; readonly epoch: number }> {
  const store = createRevocationStore(models);
  await store.raiseEpoch(seen);
  const organizations = await models.organizations.find({}, { slug: 1 }).sort({ slug: 1 }).lean<Organization[]>();
  const ended: EndedInOrganization[] = [];
  for (const { _id, slug } of organizations) {
    const { sessions, apiKeys } = await recorded(
      audit,
      actorOf(_id.toHexString()),
      { action: 'credential:end-all' },
      () => endCredentials(models, store, _id),
    );
    ended.push({ slug, sessions, apiKeys });
  }
  return { ended, epoch: await store.epoch() };
}
