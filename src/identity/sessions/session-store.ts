import { Types } from 'mongoose';
import { RevocationKind, SessionEnd, type Models, type Session, type User } from '../../../models/index.js';
import type { OrganizationScope, ScopeOf } from '../../scope/organization-scope.js';
import { longestSessionTokenMs } from '../access-token.js';
import type { Revoke } from '../revocation/revocations.js';
import type { RevokedSubject } from '../revocation/revocation-store.js';
import { newRefreshToken, type RefreshToken } from './refresh-token.js';
import { defined } from '../../process/defined.js';

/** A session with its new refresh token. */
export interface RefreshableSession {
  readonly session: Session;
  readonly refreshToken: string;
}

/** Stores the beginning, renewal and end of sessions. It checks no password and no right: its callers do. */
export interface SessionStore {
  /**
   * Begins a session.
   * @param address the address that the login came from
   * @param forMs its time, milliseconds. @defaultValue that of all sessions
   */
  begin(user: User, address: string, forMs?: number): Promise<RefreshableSession>;
  /** The session that a refresh token belongs to, even if the token was replaced or the session has ended. */
  find(presented: RefreshToken): Promise<Session | null>;
  /**
   * Replaces the refresh token by the next one. Null when it is no longer valid or the session is over. Of two calls at
   * the same time, one gets null.
   */
  rotate(presented: RefreshToken, next: RefreshToken): Promise<RefreshableSession | null>;
  /** Ends one session in all processes. @returns false when it had ended before */
  end(session: Session, by: SessionEnd): Promise<boolean>;
  /** Ends all sessions and all other tokens of a user in all processes. `blocked` as in RevokedSubject. */
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
    async begin(user, address, forMs = lifetimeMs) {
      const { token, familyHash, tokenHash } = newRefreshToken();
      const now = new Date();
      const scope = scopeOf({ organizationId: user.organization.toHexString() });
      const session = await scope.sessions.insert({
        _id: new Types.ObjectId(),
        user: user._id,
        familyHash,
        tokenHash,
        createdAt: now,
        address,
        refreshedAt: now,
        expiresAt: new Date(now.getTime() + forMs),
      });
      return { session, refreshToken: token };
    },

    find: ({ familyHash }) => sessions.findOne({ familyHash }).lean<Session | null>().exec(),

    async rotate({ familyHash, tokenHash }, next) {
      const now = new Date();
      const session = await sessions
        .findOneAndUpdate(
          { familyHash, tokenHash, ...live(now) },
          { $set: { tokenHash: next.tokenHash, previousTokenHash: tokenHash, refreshedAt: now } },
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
      // Repeated if the session had ended before: the earlier call may have failed before this step.
      await revoke(organization, [ofSession(_id)]);
      return ended > 0;
    },

    async endAll(scope, user, blocked) {
      const now = new Date();
      // Sessions that ended lately are included, while their last access token may be valid: an earlier call may have
      // failed before it revoked them.
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
