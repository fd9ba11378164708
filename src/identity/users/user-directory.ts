import { Types } from 'mongoose';
import { Role, type User } from '../../../models/index.js';
import { type AuditActor, type AuditTrail, recorded } from '../../audit/audit-trail.js';
import { isDuplicateKey } from '../../storage/database.js';
import { ConflictError, NotFoundError } from '../../errors.js';
import type { OrganizationScope } from '../../scope/organization-scope.js';
import { followMember } from '../../scope/vacant-care-teams.js';
import type { Passwords } from '../passwords/passwords.js';
import type { SessionStore } from '../sessions/session-store.js';
import { parseCreateUser, requireGoodPassword, type CreateUser } from './user-input.js';

/** The fields of a user that an administrator may change. */
export type UserChange = Partial<Pick<User, 'role' | 'disabled'>>;

/**
 * Creates and changes the users of an organization. It checks no rights: its callers do, which are the user service and
 * the command line. Each change of a user ends the user's sessions and tokens in all processes. Steps of `update`:
 *
 *   1. Records the action in the audit trail.
 *   2. Checks that an enabled ADMIN with a password remains.
 *   3. Writes the change, only if the user is still as it was read.
 *   4. Checks step 2 again, and takes the change back if two administrators removed each other at the same time.
 *   5. Ends all sessions and tokens of the user. Blocks a disabled user, unblocks an enabled one.
 *   6. Opens the care teams without an enabled clinician, and restores those to which one has returned.
 */
export interface UserDirectory {
  /** Creates a user. @throws BadUserInputError, ConflictError when the username is taken */
  create(scope: OrganizationScope, actor: AuditActor, input: CreateUser): Promise<User>;
  /**
   * Changes a user.
   * @throws ConflictError when the user was changed at the same time, or no enabled ADMIN would be left
   */
  update(scope: OrganizationScope, actor: AuditActor, user: User, change: UserChange): Promise<User>;
  /**
   * Sets a password.
   * @param asked the action that is recorded, and the input path that an issue with the password names
   * @throws BadUserInputError, NotFoundError
   */
  setPassword(
    scope: OrganizationScope,
    actor: AuditActor,
    user: User,
    password: string,
    asked: { readonly action: 'user:manage' | 'password:change'; readonly path: string },
  ): Promise<User>;
  /** Ends all sessions and tokens of a user. */
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

  /**
   * Ends the user's sessions and tokens. Blocks the user if disabled, unblocks it otherwise. Repeats this until
   * `disabled` did not change meanwhile, because several callers may change the user at the same time.
   */
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
      const { username, role, password } = await parseCreateUser(input);
      const passwordHash = await passwords.hash(password, actor.organizationId);
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
          throw new ConflictError(
            'username',
            'Another user of the organization has this username: choose another one.',
          );
        }
      });
    },

    async update(scope, actor, user, { role = user.role, disabled = user.disabled ?? false }) {
      const before = { role: user.role, disabled: user.disabled ?? false };
      const after = { role, disabled };
      const losesAdmin = isAdmin(user) && (role !== Role.ADMIN || disabled);
      return recorded(audit, actor, entry(user._id), async () => {
        if (losesAdmin && !(await hasAdmin(scope, user._id))) throw lastAdmin(disabled ? 'disabled' : 'role');
        if (before.role !== role || before.disabled !== disabled) await change(scope, user._id, before, after);
        // Two administrators may demote each other at the same time: both checks passed before either write. So the
        // check is repeated after the write, and the change is taken back if no administrator is left.
        if (losesAdmin && !(await hasAdmin(scope))) {
          await change(scope, user._id, after, before);
          throw lastAdmin(disabled ? 'disabled' : 'role');
        }
        const changed = await shutOut(scope, user);
        await followMember(scope, changed);
        return changed;
      });
    },

    async setPassword(scope, actor, user, password, { action, path }) {
      requireGoodPassword(path, password, user.username);
      const passwordHash = await passwords.hash(password, actor.organizationId);
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

/** Tells whether the user is an enabled administrator with a password, who can restore all other users. */
const isAdmin = ({ role, disabled, passwordHash }: User): boolean =>
  role === Role.ADMIN && !disabled && passwordHash !== undefined;

/** Tells whether an enabled administrator with a password exists. @param except id of a user who does not count */
const hasAdmin = (scope: OrganizationScope, except?: Types.ObjectId): Promise<boolean> =>
  scope.users.exists({
    role: Role.ADMIN,
    disabled: { $ne: true },
    passwordHash: { $exists: true },
    ...(except && { _id: { $ne: except } }),
  });

/** Changes role and `disabled`. @throws ConflictError when the user is no longer as it was before */
async function change(
  scope: OrganizationScope,
  id: Types.ObjectId,
  before: Required<UserChange>,
  after: Required<UserChange>,
): Promise<void> {
  const same = { _id: id, role: before.role, disabled: before.disabled ? true : { $ne: true } };
  if (await scope.users.findOneAndUpdate(same, { $set: after })) return;
  throw new ConflictError('id', 'The user was changed at the same time: read it again and repeat the change.');
}

const lastAdmin = (path: 'role' | 'disabled'): ConflictError =>
  new ConflictError(
    path,
    'The organization would be left without an enabled ADMIN who has a password: create another one first.',
  );
