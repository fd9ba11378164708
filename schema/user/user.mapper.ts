import type { User } from '../../models/index.js';
import type { UserType } from './user.type.js';

/** Maps a user to the object that the API shows. The hash of the password is left out. */
export function toUser(user: User): UserType {
  return {
    id: user._id.toHexString(),
    username: user.username,
    role: user.role,
    disabled: user.disabled ?? false,
    hasPassword: user.passwordHash !== undefined,
    passwordChangedAt: user.passwordChangedAt ?? null,
    createdAt: user.createdAt,
  };
}
