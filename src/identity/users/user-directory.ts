import { Types } from 'mongoose';
import { Role, type User } from '../../../models/index.js';
import { type AuditActor, type AuditTrail, recorded } from '../../audit/audit-trail.js';
import { isDuplicateKey } from '../../storage/database.js';
import { ConflictError, NotFoundError } from '../../errors.js';
import type { OrganizationScope } from '../../scope/organization-scope.js';
import type { Passwords } from '../passwords/passwords.js';
import type { SessionStore } from '../sessions/session-store.js';
import { parseCreateUser, requireGoodPassword, type CreateUser } from './user-input.js';

/** What an administrator may change of a user. */
export type UserChange = Partial<Pick<User, 'role' | 'disabled'>>;

/**
 * The users of an organization, for whoever has been let to administer them: the service below the API, and the command
 * line. Whatever takes a right away ends the user's sessions and tokens everywhere.
 */
export interface UserDirectory {
  /** @throws BadUserInputError, ConflictError when the username is taken */
  create(scope: OrganizationScope, actor: AuditActor, input: CreateUser): Promise<User>;
  /** @throws ConflictError when somebody else changed the user at the same time, or no enabled ADMIN would be left */
  update(scope: OrganizationScope, actor: AuditActor, user: User, change: UserChange): Promise<User>;
  /**
   * @param asked as which action it is recorded, and under which path a bad password is refused
   * @throws BadUserInputError
   */
  setPassword(
    scope: OrganizationScope,
    actor: AuditActor,
    user: User,
    password: string,
    asked: { readonly action: 'user:manage' | 'password:change'; readonly path: string },
  ): Promise<User>;
  endSessions(scope: OrganizationScope, actor: AuditActor, user: User): Promise<void>;
}

interface UserDirectoryDependencies {
  readonly passwords: Passwords;
  readonly sessions: Pick<SessionStore, 'endAll'>;
  readonly audit: AuditTrail;
}

export function createUserDirectory({ passwords, sessions, audit }: UserDirectoryDependencies): UserDirectory {
  const entry = (id: Types.ObjectId) =>
    ({ action: 'user:manage', subject: { kind: 'USER', id: id.toHexString() } }) as const;

  /** Ends what the user holds, and blocks or unblocks the name as the user stands now, however many change it at once. */
  async function shutOut(scope: OrganizationScope, user: User): Promise<User> {
    const read = async (): Promise<User> => {
      const present = await scope.users.findOne({ _id: user._id });
      if (!present) throw new NotFoundError('This user');
      return present;
    };
    for (let present = await read(); ;) {
      const { disabled = false } = present;
      await sessions.endAll(scope, present, disabled);
      present = await read();
      if ((present.disabled ?? false) === disabled) return present;
    }
  }

  return {
    async create(scope, actor, input) {
      const { username, role, password } = parseCreateUser(input);
      const passwordHash = await passwords.hash(password);
      const _id = new Types.ObjectId();
      const now = new Date();
      return recorded(audit, actor, entry(_id), async () => {
        try {
          return await scope.users.insert({
            _id,
            username,
            role,
            passwordHash,
            passwordChangedAt: now,
            createdAt: now,
          });
        } catch (error) {
          if (!isDuplicateKey(error)) throw error;
          throw new ConflictError('Another user of the organization has this username: choose another one.');
        }
      });
    },

    async update(scope, actor, user, { role = user.role, disabled = user.disabled ?? false }) {
      const before = { role: user.role, disabled: user.disabled ?? false };
      const after = { role, disabled };
      const losesAdmin = isAdmin(user) && (role !== Role.ADMIN || disabled);
      return recorded(audit, actor, entry(user._id), async () => {
        if (losesAdmin && !(await hasAdmin(scope, user._id))) throw lastAdmin();
        if (before.role !== role || before.disabled !== disabled) await change(scope, user._id, before, after);
        // Two administrators who demote each other both looked before either wrote. Whoever sees that nobody is left takes it back.
        if (losesAdmin && !(await hasAdmin(scope))) {
          await change(scope, user._id, after, before);
          throw lastAdmin();
        }
        return shutOut(scope, user);
      });
    },

    async setPassword(scope, actor, user, password, { action, path }) {
      requireGoodPassword(path, password, user.username);
      const passwordHash = await passwords.hash(password);
      return recorded(audit, actor, { ...entry(user._id), action }, async () => {
        const changed = await scope.users.findOneAndUpdate(
          { _id: user._id },
          { $set: { passwordHash, passwordChangedAt: new Date() } },
        );
        if (!changed) throw new NotFoundError('This user');
        return shutOut(scope, changed);
      });
    },

    async endSessions(scope, actor, user) {
      await recorded(audit, actor, entry(user._id), () => shutOut(scope, user));
    },
  };
}

/** Whether the user is one of those who can let everybody else in again. */
const isAdmin = ({ role, disabled, passwordHash }: User): boolean =>
  role === Role.ADMIN && !disabled && passwordHash !== undefined;

/** @param except who is not counted */
const hasAdmin = (scope: OrganizationScope, except?: Types.ObjectId): Promise<boolean> =>
  scope.users.exists({
    role: Role.ADMIN,
    disabled: { $ne: true },
    passwordHash: { $exists: true },
    ...(except && { _id: { $ne: except } }),
  });

async function change(
  scope: OrganizationScope,
  id: Types.ObjectId,
  before: Required<UserChange>,
  after: Required<UserChange>,
): Promise<void> {
  const same = { _id: id, role: before.role, disabled: before.disabled ? true : { $ne: true } };
  if (await scope.users.findOneAndUpdate(same, { $set: after })) return;
  throw new ConflictError(
    'The user was changed by somebody else at the same time: look at it again and repeat the change.',
  );
}

const lastAdmin = (): ConflictError =>
  new ConflictError(
    'The organization would be left without an enabled ADMIN who has a password: make another one first.',
  );
