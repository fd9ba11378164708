/*
 * Sessions of users with a password. Step by step:
 *
 *   1. `login` checks the password, replaces a hash with old parameters, and begins a session.
 *   2. A session has a short-lived access token and a refresh token. Each refresh token is valid for one use.
 *   3. `refresh` replaces the refresh token and issues a new access token.
 *   4. A second use within ten seconds gives the same successor: two tabs, or a client that lost the answer.
 *   5. A later second use means that two callers hold the token. The session ends, and the event is flagged.
 *   6. `logout` ends the session.
 */
import { z } from 'zod';
import { SessionEnd, type Session, type User } from '../../../models/index.js';
import { type AuditAction, type AuditActor, type AuditTrail, recorded } from '../../audit/audit-trail.js';
import { UnauthenticatedError } from '../../errors.js';
import { parseInput } from '../../input.js';
import type { ScopeOf } from '../../scope/organization-scope.js';
import type { AccessTokens } from '../access-token.js';
import type { Passwords } from '../passwords/passwords.js';
import { normalizeUsername } from '../users/username.js';
import type { Identity, RequestOrigin } from '../../auth/viewer.js';
import type { PasswordCredential, PasswordLogin } from './password-login.js';
import { parseRefreshToken, successorOf, type RefreshToken } from './refresh-token.js';
import type { RefreshableSession, SessionStore } from './session-store.js';

/** The two tokens of a session, and the identity that they stand for. */
export interface IssuedTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly refreshExpiresAt: Date;
  readonly identity: Identity;
}

/** Begins, renews and ends sessions. Anonymous callers may call it: the password or refresh token is their proof. */
export interface SessionService {
  /**
   * Begins a session.
   * @param options.lastsAsToken true: the session ends with its first access token. @defaultValue false
   * @throws InvalidCredentialsError, RateLimitedError, BadUserInputError when a text is too long
   */
  login(
    input: PasswordCredential,
    origin: RequestOrigin,
    options?: { readonly lastsAsToken?: boolean },
  ): Promise<IssuedTokens>;
  /** Renews the tokens. A second use after ten seconds ends the session. @throws UnauthenticatedError */
  refresh(input: { readonly refreshToken: string }, origin: RequestOrigin): Promise<IssuedTokens>;
  /** Ends the session. @returns false when there is no such session, or it had ended before */
  logout(input: { readonly refreshToken: string }, origin: RequestOrigin): Promise<boolean>;
  /**
   * Begins a session for a user whose password was checked.
   * @throws UnauthenticatedError when the user changed meanwhile
   */
  begin(user: User, origin: RequestOrigin): Promise<IssuedTokens>;
}

interface SessionServiceDependencies {
  readonly scopeOf: ScopeOf;
  readonly store: SessionStore;
  readonly passwordLogin: PasswordLogin;
  readonly passwords: Passwords;
  readonly accessTokens: AccessTokens;
  readonly audit: AuditTrail;
  readonly accessTokenSeconds: number;
  /** Secret key of 256 bits, from which the next refresh token follows. The same in all processes. */
  readonly refreshKey: Buffer;
}

/** Time after a refresh in which the token that was used gives the same successor again. Milliseconds. */
const repeatMs = 10_000;

const text = (longest: number) => z.string().max(longest, `must have at most ${longest} characters`);
const loginSchema = z.object({
  organization: text(100),
  username: text(200).transform(normalizeUsername),
  password: text(1_000),
});
const refreshTokenSchema = z.object({ refreshToken: text(200) });

export function createSessionService(dependencies: SessionServiceDependencies): SessionService {
  const { scopeOf, store, passwordLogin, passwords, accessTokens, audit, accessTokenSeconds, refreshKey } =
    dependencies;
  const notValid = (): UnauthenticatedError =>
    new UnauthenticatedError('The refresh token is not valid or has expired: log in again.');
  const findUser = ({ organization, user }: Pick<Session, 'organization' | 'user'>): Promise<User | null> =>
    scopeOf({ organizationId: organization.toHexString() }).users.findOne({ _id: user });

  const actor = (user: User, origin: RequestOrigin): AuditActor => ({
    organizationId: user.organization.toHexString(),
    username: user.username,
    role: user.role,
    origin,
  });
  const entry = (action: AuditAction, user: User) =>
    ({ action, subject: { kind: 'USER', id: user._id.toHexString() } }) as const;

  async function issue(user: User, { session, refreshToken }: RefreshableSession): Promise<IssuedTokens> {
    const remainingSeconds = Math.floor((session.expiresAt.getTime() - Date.now()) / 1000);
    const subject = {
      username: user.username,
      role: user.role,
      organizationId: user.organization.toHexString(),
      sessionId: session._id.toHexString(),
    };
    const accessToken = await accessTokens.sign(subject, Math.max(1, Math.min(accessTokenSeconds, remainingSeconds)));
    return {
      accessToken,
      refreshToken,
      refreshExpiresAt: session.expiresAt,
      identity: await accessTokens.verify(accessToken),
    };
  }

  /**
   * Begins a session, then reads the user again. An administrator's change is written first and ends the user's
   * sessions after that. A session that begins between these two steps is found and ended here.
   */
  async function begin(user: User, { address }: RequestOrigin, forMs?: number): Promise<IssuedTokens> {
    const begun = await store.begin(user, address, forMs);
    const now = await findUser(begun.session);
    if (now && !now.disabled && now.role === user.role && now.passwordHash === user.passwordHash)
      return issue(user, begun);
    await store.end(begun.session, SessionEnd.REVOKED);
    throw new UnauthenticatedError('This user was changed during the login: log in again.');
  }

  /** Replaces a hash that was made with old parameters. The password is known only at a login. */
  async function rehash(user: User, password: string): Promise<User> {
    if (!passwords.isOutdated(user.passwordHash!)) return user;
    const organizationId = user.organization.toHexString();
    const { users } = scopeOf({ organizationId });
    const passwordHash = await passwords.hash(password, organizationId);
    return (
      (await users.findOneAndUpdate({ _id: user._id, passwordHash: user.passwordHash }, { $set: { passwordHash } })) ??
      user
    );
  }

  /** Tells whether a token was used just now, and its successor was not used yet. */
  const isRepeated = (session: Session, presented: RefreshToken): boolean =>
    session.previousTokenHash === presented.tokenHash &&
    session.tokenHash === successorOf(presented, refreshKey).tokenHash &&
    Date.now() - session.refreshedAt.getTime() < repeatMs;

  /** Gives the successor of a token once more. @returns null when the first use is too long ago */
  async function repeat(presented: RefreshToken, next: RefreshToken): Promise<RefreshableSession | null> {
    const session = await store.find(presented);
    return isLive(session) && isRepeated(session, presented) ? { session, refreshToken: next.token } : null;
  }

  async function endReused(session: Session, user: User | null, origin: RequestOrigin): Promise<void> {
    // The session ends first: it must end even if the event cannot be recorded.
    await store.end(session, SessionEnd.REUSE);
    if (user)
      await audit.record(actor(user, origin), {
        ...entry('session:refresh-reused', user),
        outcome: 'DENIED',
        flagged: true,
      });
  }

  /**
   * Finds the session of a refresh token, with its user. If the token was used before, ends the session and gives null.
   */
  async function findLive(refreshToken: string, origin: RequestOrigin) {
    const presented = parseRefreshToken(refreshToken);
    const session = presented && (await store.find(presented));
    if (!presented || !isLive(session)) return null;
    const user = await findUser(session);
    if (session.tokenHash === presented.tokenHash || isRepeated(session, presented))
      return { presented, session, user };
    await endReused(session, user, origin);
    return null;
  }

  return {
    begin: (user, origin) => begin(user, origin),

    async login(input, origin, { lastsAsToken = false } = {}) {
      const credential = parseInput(loginSchema, input);
      const user = await rehash(await passwordLogin.prove(credential, origin), credential.password);
      return recorded(audit, actor(user, origin), entry('session:login', user), () =>
        begin(user, origin, lastsAsToken ? accessTokenSeconds * 1_000 : undefined),
      );
    },

    async refresh(input, origin) {
      const found = await findLive(parseInput(refreshTokenSchema, input).refreshToken, origin);
      if (!found?.user || found.user.disabled) throw notValid();
      const { presented, session, user } = found;
      return recorded(audit, actor(user, origin), entry('session:refresh', user), async () => {
        const next = successorOf(presented, refreshKey);
        const rotated = (await store.rotate(presented, next)) ?? (await repeat(presented, next));
        if (!rotated) {
          // Another request used this token first. If the session is still alive, this is a second use.
          if (isLive(await store.find(presented))) await endReused(session, user, origin);
          throw notValid();
        }
        const present = await findUser(session);
        if (!present || present.disabled) throw notValid();
        return issue(present, rotated);
      });
    },

    async logout(input, origin) {
      const found = await findLive(parseInput(refreshTokenSchema, input).refreshToken, origin);
      if (!found) return false;
      const { session, user } = found;
      const end = (): Promise<boolean> => store.end(session, SessionEnd.LOGOUT);
      return user ? recorded(audit, actor(user, origin), entry('session:logout', user), end) : end();
    },
  };
}

const isLive = (session: Session | null): session is Session =>
  session !== null && !session.endedAt && session.expiresAt > new Date();
