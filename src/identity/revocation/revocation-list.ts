import { RevocationKind, type Revocation } from '../../../models/index.js';
import type { Identity } from '../../auth/viewer.js';

/** What was revoked, as it is stored and as it is remembered. */
export type RevocationRecord = Pick<
  Revocation,
  'organization' | 'kind' | 'subject' | 'notBefore' | 'blocked' | 'keepUntil'
>;

/** The revocations in force, in memory: a request costs a lookup or two. */
interface RevocationList {
  /** Adds, or brings up to date. */
  apply(revocations: readonly RevocationRecord[]): void;
  /**
   * A token of a session is judged by that session, an API key by itself, any other token by when it was issued. Nothing
   * of a user who is blocked is valid.
   */
  isRevoked(identity: Identity): boolean;
  /** Forgets what can concern no credential any more. */
  forget(now: Date): void;
}

interface Remembered {
  readonly notBefore: number;
  readonly blocked: boolean;
  readonly keepUntil: number;
}

export function createRevocationList(): RevocationList {
  const remembered = new Map<string, Remembered>();
  const find = (organizationId: string, kind: RevocationKind, subject: string): Remembered | undefined =>
    remembered.get(`${organizationId} ${kind} ${subject}`);
  return {
    apply(revocations) {
      for (const { organization, kind, subject, notBefore, blocked, keepUntil } of revocations) {
        const present = find(organization.toHexString(), kind, subject);
        remembered.set(`${organization.toHexString()} ${kind} ${subject}`, {
          // Two readings may arrive in the wrong order; times only ever grow.
          notBefore: Math.max(notBefore.getTime(), present?.notBefore ?? 0),
          blocked: blocked ?? present?.blocked ?? false,
          keepUntil: Math.max(keepUntil.getTime(), present?.keepUntil ?? 0),
        });
      }
    },
    isRevoked({ organizationId, username, issuedAt = 0, sessionId, apiKeyId }) {
      if (apiKeyId !== undefined) return find(organizationId, RevocationKind.API_KEY, apiKeyId) !== undefined;
      const user = find(organizationId, RevocationKind.USER, username);
      if (user?.blocked) return true;
      if (sessionId !== undefined) return find(organizationId, RevocationKind.SESSION, sessionId) !== undefined;
      return user !== undefined && issuedAt <= user.notBefore;
    },
    forget(now) {
      for (const [key, { blocked, keepUntil }] of remembered)
        if (!blocked && keepUntil < now.getTime()) remembered.delete(key);
    },
  };
}
