import type { User } from '../../../models/index.js';
import type { AuditTrail } from '../../audit/audit-trail.js';
import { BadUserInputError, ConflictError, NotFoundError, UnauthenticatedError } from '../../errors.js';
import { toObjectId } from '../../input.js';
import type { ScopeOf } from '../../scope/organization-scope.js';
import { readPage, type Page, type PageRequest } from '../../scope/pagination.js';
import { authorize } from '../../auth/authorize.js';
import type { PasswordLogin } from '../sessions/password-login.js';
import type { IssuedTokens, SessionService } from '../sessions/session-service.js';
import type { Viewer } from '../../auth/viewer.js';
import type { UserDirectory } from './user-directory.js';
import {
  requireGoodPassword,
  type ChangePassword,
  type CreateUser,
  type SetUserPassword,
  type UpdateUser,
} from './user-input.js';

/** The users of the viewer's organization. Every method authorises first; another organization's users are not found. */
export interface UserService {
  /** That they were listed is recorded, by an event that is about no user. */
  list(viewer: Viewer | null, request: PageRequest): Promise<Page<User>>;
  /** @throws BadUserInputError, ConflictError when the username is taken */
  create(viewer: Viewer | null, input: CreateUser): Promise<User>;
  /** @throws NotFoundError, ConflictError when no enabled ADMIN would be left */
  update(viewer: Viewer | null, input: UpdateUser): Promise<User>;
  /** @throws NotFoundError, BadUserInputError */
  setPassword(viewer: Viewer | null, input: SetUserPassword): Promise<User>;
  /** @throws NotFoundError */
  revokeSessions(viewer: Viewer | null, userId: string): Promise<User>;
  /**
   * One's own: ends all sessions and begins a new one.
   * @throws BadUserInputError when the current password is wrong, RateLimitedError when that came too often
   */
  changePassword(viewer: Viewer | null, input: ChangePassword): Promise<IssuedTokens>;
}

interface UserServiceDependencies {
  readonly scopeOf: ScopeOf;
  readonly directory: UserDirectory;
  readonly sessions: Pick<SessionService, 'begin'>;
  readonly passwordLogin: PasswordLogin;
  readonly audit: AuditTrail;
}

export function createUserService({
  scopeOf,
  directory,
  sessions,
  passwordLogin,
  audit,
}: UserServiceDependencies): UserService {
  async function getOwn(viewer: Viewer, id: string): Promise<User> {
    const _id = toObjectId(id);
    const user = _id && (await scopeOf(viewer).users.findOne({ _id }));
    if (!user) throw new NotFoundError('This user');
    return user;
  }

  /** Guessing at it with a stolen token is guessing at a login, and counted as such. */
  async function proveOwn(viewer: Viewer, password: string): Promise<User> {
    const { slug } = await scopeOf(viewer).organization();
    try {
      return await passwordLogin.prove(
        { organization: slug, username: viewer.username, password },
        viewer.origin,
        'password:change',
      );
    } catch (error) {
      throw error instanceof UnauthenticatedError
        ? new BadUserInputError([{ path: 'currentPassword', message: 'is not your present password' }])
        : error;
    }
  }

  return {
    async list(viewer, request) {
      authorize(viewer, 'user:manage');
      const page = await readPage<User>(scopeOf(viewer).users, {}, request);
      await audit.record(viewer, { action: 'user:manage', outcome: 'ALLOWED' });
      return page;
    },

    async create(viewer, input) {
      authorize(viewer, 'user:manage');
      return directory.create(scopeOf(viewer), viewer, input);
    },

    async update(viewer, { id, role, disabled }) {
      authorize(viewer, 'user:manage');
      const user = await getOwn(viewer, id);
      if (role == null && disabled == null)
        throw new BadUserInputError([{ path: 'role', message: 'give a role, or disabled, or both' }]);
      return directory.update(scopeOf(viewer), viewer, user, {
        role: role ?? undefined,
        disabled: disabled ?? undefined,
      });
    },

    async setPassword(viewer, { id, newPassword }) {
      authorize(viewer, 'user:manage');
      return directory.setPassword(scopeOf(viewer), viewer, await getOwn(viewer, id), newPassword, {
        action: 'user:manage',
        path: 'newPassword',
      });
    },

    async revokeSessions(viewer, userId) {
      authorize(viewer, 'user:manage');
      const user = await getOwn(viewer, userId);
      await directory.endSessions(scopeOf(viewer), viewer, user);
      return user;
    },

    async changePassword(viewer, { currentPassword, newPassword }) {
      authorize(viewer, 'password:change');
      const scope = scopeOf(viewer);
      const present = await scope.users.findOne({ username: viewer.username });
      if (!present?.passwordHash) throw new ConflictError('You have no password here: change it where you log in.');
      requireGoodPassword('newPassword', newPassword, present.username);
      if (newPassword === currentPassword)
        throw new BadUserInputError([{ path: 'newPassword', message: 'must be another one than the present' }]);
      const proved = await proveOwn(viewer, currentPassword);
      return sessions.begin(
        await directory.setPassword(scope, viewer, proved, newPassword, {
          action: 'password:change',
          path: 'newPassword',
        }),
      );
    },
  };
}
