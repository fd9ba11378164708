import { RevocationKind, type Revocation } from '../../../models/index.js';
import type { Identity } from '../../auth/viewer.js';

/** A revocation as it is stored and kept in memory. */
export type RevocationRecord = Pick<
  Revocation,
  'organization' | 'kind' | 'subject' | 'notBefore' | 'blocked' | 'keepUntil'
>;

/** The revocations in force, in memory. Each request costs at most two lookups. */
interface RevocationList {
  /** Adds revocations, or updates those of the same subject. */
  apply(revocations: readonly RevocationRecord[]): void;
  /**
   * Tells whether the credential of an identity is revoked:
   * - an API key: if the key was revoked
   * - any token that was issued before the credentials of its organization were revoked
   * - any token of a blocked user: always
   * - a token of a session: if the session was revoked
   * - any other token: if it was issued before the user was revoked
   */
  isRevoked(identity: Identity): boolean;
  /** Drops revocations of credentials that have all expired by now. */
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
          // Two reads may arrive in the wrong order, so the later time is kept.
          notBefore: Math.max(notBefore.getTime(), present?.notBefore ?? 0),
          blocked: blocked ?? present?.blocked ?? false,
          keepUntil: Math.max(keepUntil.getTime(), present?.keepUntil ?? 0),
        });
      }
    },
    isRevoked({ organizationId, username, issuedAt = 0, sessionId, apiKeyId }) {
      if (apiKeyId !== undefined) return find(organizationId, RevocationKind.API_KEY, apiKeyId) !== undefined;
      const organization = find(organizationId, RevocationKind.ORGANIZATION, organizationId);
      if (organization && issuedAt <= organization.notBefore) return true;
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
