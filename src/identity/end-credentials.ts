import type { Types } from 'mongoose';
import { RevocationKind, SessionEnd, type ApiKey, type Models } from '../../models/index.js';
import type { RevokedSubject, RevocationStore } from './revocation/revocation-store.js';

/** The numbers of credentials that were ended. */
interface EndedCredentials {
  readonly sessions: number;
  readonly apiKeys: number;
}

/**
 * Ends every credential of an organization that was issued up to now: sessions, API keys, and all other tokens, those of
 * an identity provider too. After a restore it is not known which of them were revoked since the backup.
 * Running processes learn of it as of any revocation.
 */
export async function endCredentials(
  { sessions, apiKeys }: Pick<Models, 'sessions' | 'apiKeys'>,
  store: Pick<RevocationStore, 'record'>,
  organization: Types.ObjectId,
): Promise<EndedCredentials> {
  const now = new Date();
  const keys = await apiKeys
    .find({ organization, revokedAt: { $exists: false } }, { _id: 1 })
    .lean<Pick<ApiKey, '_id'>[]>();
  const subjects: RevokedSubject[] = [
    { kind: RevocationKind.ORGANIZATION, subject: organization.toHexString() },
    ...keys.map(({ _id }) => ({ kind: RevocationKind.API_KEY, subject: _id.toHexString() })),
  ];
  // The revocations come first: they alone refuse every token, also when this breaks off after them.
  await store.record(organization, subjects);
  const revoked = await apiKeys.updateMany(
    { _id: { $in: keys.map(({ _id }) => _id) }, revokedAt: { $exists: false } },
    { $set: { revokedAt: now } },
  );
  const ended = await sessions.updateMany(
    { organization, endedAt: { $exists: false } },
    { $set: { endedAt: now, endedBy: SessionEnd.REVOKED } },
  );
  return { sessions: ended.modifiedCount, apiKeys: revoked.modifiedCount };
}
