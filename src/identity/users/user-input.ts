import { z } from 'zod';
import { Role } from '../../../models/index.js';
import { BadUserInputError } from '../../errors.js';
import { checkAll, parseInput } from '../../input.js';
import { passwordIssue } from '../passwords/password-policy.js';
import { isReservedUsername, isUsername, normalizeUsername, reservedUsernameRule, usernameRule } from './username.js';

export interface CreateUser {
  readonly username: string;
  readonly role: Role;
  readonly password: string;
}

/** Changes to a user. A field that is null or absent stays unchanged. */
export interface UpdateUser {
  readonly id: string;
  readonly role?: Role | null;
  readonly disabled?: boolean | null;
}

export interface SetUserPassword {
  readonly id: string;
  readonly newPassword: string;
}

export interface ChangePassword {
  readonly currentPassword: string;
  readonly newPassword: string;
}

const createUserSchema = z.object({
  username: z
    .string()
    .transform(normalizeUsername)
    .refine(isUsername, { error: usernameRule, abort: true })
    .refine((name) => !isReservedUsername(name), reservedUsernameRule),
  role: z.enum(Role),
  password: z.string(),
});

/** Checks the input of a new user. @throws BadUserInputError that names the field and never contains the password */
export async function parseCreateUser(input: CreateUser): Promise<CreateUser> {
  const [user] = await checkAll(
    () => parseInput(createUserSchema, input),
    () => requireGoodPassword('password', input.password, input.username),
  );
  return user;
}

/** Refuses a bad password. @throws BadUserInputError with the given path */
export function requireGoodPassword(path: string, password: string, username: string): void {
  const issue = passwordIssue(password, username);
  if (issue) throw new BadUserInputError([{ path, message: issue }]);
}
