import type { User } from '../../../models/index.js';
import type { AuditTrail } from '../../audit/audit-trail.js';
import { BadUserInputError, ConflictError, InvalidCredentialsError, NotFoundError } from '../../errors.js';
import { toObjectId } from '../../input.js';
import type { ScopeOf } from '../../scope/organization-scope.js';
import { newestFirstIndex, readPage, type Page, type PageRequest } from '../../scope/pagination.js';
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

/**
 * Manages the users of the viewer's organization. Every method authorises first. Users of other organizations are not
 * found.
 */
export interface UserService {
  /** Lists the users, newest first. The audit event of a list names no single user. */
  list(viewer: Viewer | null, request: PageRequest): Promise<Page<User>>;
  /** Creates a user. @throws BadUserInputError, ConflictError when the username is taken */
  create(viewer: Viewer | null, input: CreateUser): Promise<User>;
  /**
   * Changes a role, or disables or enables a user.
   * @throws BadUserInputError, NotFoundError, ConflictError when no enabled ADMIN would be left, or the user was
   *   changed at the same time
   */
  update(viewer: Viewer | null, input: UpdateUser): Promise<User>;
  /** Sets the password of a user, and ends the user's sessions. @throws NotFoundError, BadUserInputError */
  setPassword(viewer: Viewer | null, input: SetUserPassword): Promise<User>;
  /** Ends all sessions and tokens of a user. @throws NotFoundError */
  revokeSessions(viewer: Viewer | null, userId: string): Promise<User>;
  /**
   * Changes the viewer's own password. It ends all sessions of the viewer and begins a new one.
   * @throws BadUserInputError when the current password is wrong or the new one is bad; RateLimitedError after too many
   *   wrong passwords; ConflictError when the viewer has no password here
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

  /** Checks the viewer's password. It counts as a login attempt: a stolen token must not allow more guesses at it. */
  async function proveOwn(viewer: Viewer, password: string): Promise<User> {
    const { slug } = await scopeOf(viewer).organization();
    try {
      return await passwordLogin.prove(
        { organization: slug, username: viewer.username, password },
        viewer.origin,
        'password:change',
      );
    } catch (error) {
      throw error instanceof InvalidCredentialsError
        ? new BadUserInputError([{ path: 'currentPassword', message: 'is not your current password' }])
        : error;
    }
  }

  return {
    async list(viewer, request) {
      authorize(viewer, 'user:manage');
      const page = await readPage<User>(scopeOf(viewer).users, { filter: {}, index: newestFirstIndex }, request);
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
        throw new BadUserInputError([{ path: 'role', message: 'give role, disabled, or both' }]);
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
      if (!present?.passwordHash)
        throw new ConflictError(
          'currentPassword',
          'You have no password here: change it at the identity provider where you log in.',
        );
      requireGoodPassword('newPassword', newPassword, present.username);
      if (newPassword === currentPassword)
        throw new BadUserInputError([{ path: 'newPassword', message: 'must differ from the current password' }]);
      const proved = await proveOwn(viewer, currentPassword);
      return sessions.begin(
        await directory.setPassword(scope, viewer, proved, newPassword, {
          action: 'password:change',
          path: 'newPassword',
        }),
        viewer.origin,
      );
    },
  };
}
