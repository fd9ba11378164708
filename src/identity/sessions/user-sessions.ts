import type { Types } from 'mongoose';
import { SessionEnd, type Session } from '../../../models/index.js';
import { type AuditTrail, recorded } from '../../audit/audit-trail.js';
import { authorize, mayViewer } from '../../auth/authorize.js';
import type { Identity, Viewer } from '../../auth/viewer.js';
import { NotFoundError } from '../../errors.js';
import { idOrNone, toObjectId } from '../../input.js';
import type { OrganizationScope, ScopeOf } from '../../scope/organization-scope.js';
import { readPage, type Page, type PageRequest } from '../../scope/pagination.js';
import type { SessionStore } from './session-store.js';

/** The user whose sessions are listed. */
export interface SessionFilter {
  readonly userId?: string | null;
}

/** The live sessions of the viewer's organization. A session lives from its login to its end or expiry. */
export interface UserSessions {
  /** Lists live sessions of one user or of all, newest first. It authorises first. */
  list(viewer: Viewer | null, request: PageRequest, filter: SessionFilter): Promise<Page<Session>>;
  /** Lists the live sessions of the caller, newest first. It has none without a password here. */
  own(caller: Pick<Identity, 'organizationId' | 'username'>, request: PageRequest): Promise<Page<Session>>;
  /**
   * Ends one session in all processes, and closes its sockets. Repeating the call does no harm.
   * @throws NotFoundError, also for the session of another user if the viewer does not manage users
   */
  end(viewer: Viewer | null, id: string): Promise<Session>;
}

interface UserSessionsDependencies {
  readonly scopeOf: ScopeOf;
  readonly store: Pick<SessionStore, 'end'>;
  readonly audit: AuditTrail;
}

export function createUserSessions({ scopeOf, store, audit }: UserSessionsDependencies): UserSessions {
  const livePage = (scope: OrganizationScope, request: PageRequest, user?: Types.ObjectId): Promise<Page<Session>> =>
    readPage<Session>(
      scope.sessions,
      {
        filter: { ...(user && { user }), endedAt: { $exists: false }, expiresAt: { $gt: new Date() } },
        index: { organization: 1, ...(user && { user: 1 }), endedAt: 1, _id: -1 },
      },
      request,
    );

  /** The id of the caller's user. An id that no user has, if the caller is none of ours. */
  async function ownId(scope: OrganizationScope, { username }: Pick<Identity, 'username'>): Promise<Types.ObjectId> {
    const user = await scope.users.findOne({ username }, { projection: { _id: 1 } });
    return user?._id ?? idOrNone('');
  }

  return {
    async list(viewer, request, { userId }) {
      authorize(viewer, 'user:manage');
      const user = userId == null ? undefined : idOrNone(userId);
      const page = await livePage(scopeOf(viewer), request, user);
      await audit.record(viewer, {
        action: 'user:manage',
        outcome: 'ALLOWED',
        // An id that cannot be one is not repeated in the audit trail.
        ...(userId != null && toObjectId(userId) && { subject: { kind: 'USER', id: userId } }),
      });
      return page;
    },

    async own(caller, request) {
      const scope = scopeOf(caller);
      return livePage(scope, request, await ownId(scope, caller));
    },

    async end(viewer, id) {
      authorize(viewer, 'session:end');
      const scope = scopeOf(viewer);
      const _id = idOrNone(id);
      const session = await scope.sessions.findOne(
        mayViewer(viewer, 'user:manage') ? { _id } : { _id, user: await ownId(scope, viewer) },
      );
      if (!session) throw new NotFoundError('This session');
      const subject = { kind: 'USER', id: session.user.toHexString() } as const;
      return recorded(audit, viewer, { action: 'session:end', subject }, async () => {
        await store.end(session, SessionEnd.REVOKED);
        return (await scope.sessions.findOne({ _id })) ?? session;
      });
    },
  };
}
