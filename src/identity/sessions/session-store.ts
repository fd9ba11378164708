import { Types } from 'mongoose';
import { RevocationKind, SessionEnd, type Models, type Session, type User } from '../../../models/index.js';
import type { OrganizationScope, ScopeOf } from '../../scope/organization-scope.js';
import { longestSessionTokenMs } from '../access-token.js';
import type { Revoke } from '../revocation/revocations.js';
import type { RevokedSubject } from '../revocation/revocation-store.js';
import { newRefreshToken, type RefreshToken } from './refresh-token.js';
import { defined } from '../../process/defined.js';

/** A session with the refresh token that was just made for it. */
export interface RefreshableSession {
  readonly session: Session;
  readonly refreshToken: string;
}

/** Begins, renews and ends sessions. Knows nothing of passwords, and decides nothing. */
export interface SessionStore {
  begin(user: User): Promise<RefreshableSession>;
  /** The session of which somebody has held a refresh token, whatever became of either. */
  find(presented: RefreshToken): Promise<Session | null>;
  /** Replaces the refresh token. Null when it is no longer the valid one, or the session is over: of two at once one gets null. */
  rotate(presented: RefreshToken): Promise<RefreshableSession | null>;
  /** Ends one session everywhere. @returns false when it had ended already */
  end(session: Session, by: SessionEnd): Promise<boolean>;
  /** Ends all sessions of a user and whatever tokens it has beside them, everywhere. `blocked` as in RevokedSubject. */
  endAll(scope: OrganizationScope, user: User, blocked?: boolean): Promise<void>;
}

export function createSessionStore(
  { sessions }: Pick<Models, 'sessions'>,
  scopeOf: ScopeOf,
  revoke: Revoke,
  lifetimeMs: number,
): SessionStore {
  const ofSession = (id: Types.ObjectId): RevokedSubject => ({
    kind: RevocationKind.SESSION,
    subject: id.toHexString(),
  });
  const live = (now: Date): object => ({ endedAt: { $exists: false }, expiresAt: { $gt: now } });

  return {
    async begin(user) {
      const { token, familyHash, tokenHash } = newRefreshToken();
      const now = new Date();
      const scope = scopeOf({ organizationId: user.organization.toHexString() });
      const session = await scope.sessions.insert({
        _id: new Types.ObjectId(),
        user: user._id,
        familyHash,
        tokenHash,
        createdAt: now,
        refreshedAt: now,
        expiresAt: new Date(now.getTime() + lifetimeMs),
      });
      return { session, refreshToken: token };
    },

    find: ({ familyHash }) => sessions.findOne({ familyHash }).lean<Session | null>().exec(),

    async rotate({ family, familyHash, tokenHash }) {
      const now = new Date();
      const next = newRefreshToken(family);
      const session = await sessions
        .findOneAndUpdate(
          { familyHash, tokenHash, ...live(now) },
          { $set: { tokenHash: next.tokenHash, refreshedAt: now } },
          { returnDocument: 'after' },
        )
        .lean<Session | null>();
      return session && { session, refreshToken: next.token };
    },

    async end({ _id, organization }, by) {
      const { sessions: own } = scopeOf({ organizationId: organization.toHexString() });
      const ended = await own.updateMany(
        { _id, endedAt: { $exists: false } },
        { $set: { endedAt: new Date(), endedBy: by } },
      );
      // Also when it had ended: that time may have failed half-way.
      await revoke(organization, [ofSession(_id)]);
      return ended > 0;
    },

    async endAll(scope, user, blocked) {
      const now = new Date();
      // Those that have ended too, while their last access token may live: the time before may have failed half-way.
      const lately = { refreshedAt: { $gt: new Date(now.getTime() - longestSessionTokenMs) } };
      const ids = (
        await scope.sessions.find({ user: user._id, $or: [live(now), lately] }, { projection: { _id: 1 } })
      ).map(({ _id }) => _id);
      await scope.sessions.updateMany(
        { _id: { $in: ids }, endedAt: { $exists: false } },
        { $set: { endedAt: now, endedBy: SessionEnd.REVOKED } },
      );
      await revoke(scope.id, [
        defined({ kind: RevocationKind.USER, subject: user.username, blocked }),
        ...ids.map(ofSession),
      ]);
    },
  };
}
