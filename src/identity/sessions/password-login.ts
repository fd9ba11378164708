import { Types } from 'mongoose';
import type { Logger } from 'pino';
import type { Models, Organization, User } from '../../../models/index.js';
import type { AuditAction, AuditActor, AuditTrail } from '../../audit/audit-trail.js';
import { InvalidCredentialsError } from '../../errors.js';
import type { ScopeOf } from '../../scope/organization-scope.js';
import type { Passwords } from '../passwords/passwords.js';
import { unknownUsername } from '../users/username.js';
import type { RequestOrigin } from '../../auth/viewer.js';
import type { LoginThrottle, ThrottledError } from './login-throttle.js';

/** The credential of a user who logs in with a password. */
export interface PasswordCredential {
  /** Slug of the organization. */
  readonly organization: string;
  readonly username: string;
  readonly password: string;
}

/** Checks passwords. */
export interface PasswordLogin {
  /**
   * Finds the enabled user whose password was given. The answer to a wrong organization, user or password, or to a
   * disabled user, is always the same. Its cost is also the same: the same reads and one argon2 verification.
   * @param action the action that a refusal is recorded as
   * @throws InvalidCredentialsError, RateLimitedError
   */
  prove(credential: PasswordCredential, origin: RequestOrigin, action?: AuditAction): Promise<User>;
}

interface PasswordLoginDependencies {
  readonly models: Pick<Models, 'organizations'>;
  readonly scopeOf: ScopeOf;
  readonly passwords: Passwords;
  readonly throttle: LoginThrottle;
  readonly audit: AuditTrail;
  readonly logger: Logger;
}

/** The organization and the user of a credential. Null when there is none of that name. */
interface Found {
  readonly organization: Organization | null;
  readonly user: User | null;
}

export function createPasswordLogin({
  models,
  scopeOf,
  passwords,
  throttle,
  audit,
  logger,
}: PasswordLoginDependencies): PasswordLogin {
  async function find({ organization: slug, username }: PasswordCredential): Promise<Found> {
    const organization = await models.organizations.findOne({ slug }).lean<Organization | null>();
    const organizationId = (organization?._id ?? new Types.ObjectId()).toHexString();
    return { organization, user: await scopeOf({ organizationId }).users.findOne({ username }) };
  }

  /**
   * Records a refusal in the organization's audit trail and in the log. An unknown organization has no audit trail, so
   * only the log gets the refusal. Names that do not exist are never recorded.
   */
  async function record(
    found: Found,
    origin: RequestOrigin,
    action: AuditAction,
    outcome: 'FAILED' | 'DENIED',
  ): Promise<void> {
    const { organization, user } = found;
    const attempt = { requestId: origin.requestId, action, outcome };
    if (!organization)
      return logger.warn({ ...attempt, address: origin.address }, 'password refused: the organization does not exist');
    logger.info(attempt, 'password refused');
    const actor: AuditActor = {
      organizationId: organization._id.toHexString(),
      username: user?.username ?? unknownUsername,
      origin,
      ...(user && { role: user.role }),
    };
    await audit.record(actor, {
      action,
      outcome,
      ...(user && { subject: { kind: 'USER', id: user._id.toHexString() } }),
      ...(outcome === 'DENIED' && { flagged: true }),
    });
  }

  /** Compares the password. @throws when MongoDB is away, or too many passwords are being compared */
  async function check(credential: PasswordCredential): Promise<Found & { readonly matches: boolean }> {
    const found = await find(credential);
    const matches = await passwords.verify(
      found.user?.passwordHash,
      credential.password,
      found.organization?._id.toHexString(),
    );
    return { ...found, matches };
  }

  return {
    async prove(credential, origin, action = 'session:login') {
      const attempt = { organization: credential.organization, username: credential.username, address: origin.address };
      try {
        await throttle.attempt(attempt);
      } catch (error) {
        // Recorded once per window, so that a flood of attempts does not fill the audit trail.
        if ((error as Partial<ThrottledError>).firstInWindow)
          await record(await find(credential), origin, action, 'DENIED');
        throw error;
      }
      const { matches, ...found } = await check(credential).catch(async (error: unknown) => {
        // Otherwise a user who tries again during an outage could not log in after it.
        await throttle.giveBack(attempt);
        throw error;
      });
      if (!found.user || !matches || found.user.disabled) {
        await record(found, origin, action, 'FAILED');
        throw new InvalidCredentialsError();
      }
      await throttle.succeeded(attempt);
      return found.user;
    },
  };
}
