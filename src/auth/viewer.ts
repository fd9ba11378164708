import type { Role } from '../../models/index.js';
import type { Action } from './permissions.js';

/** The source of a request, for the audit trail. */
export interface RequestOrigin {
  /** The id under which the answer to the caller, the log and the audit trail name the request. */
  readonly requestId: string;
  /** IP address of the caller, or of the proxy when the proxy is not trusted. */
  readonly address: string;
  /** True for a subscription: its reads last for hours, and each one is recorded. */
  readonly lasting?: boolean;
}

/**
 * The user or machine that a credential speaks for. It is taken from the verified credential, never from other parts of
 * the request.
 */
export interface Identity {
  /** Username within the organization. For an API key it is `api-key:<id>`, a name that no user can have. */
  readonly username: string;
  readonly role: Role;
  readonly organizationId: string;
  /** Time when the credential ends, in milliseconds since 1970. */
  readonly expiresAt: number;
  /** Time when it was issued, in milliseconds since 1970. Absent: it counts as issued before any revocation. */
  readonly issuedAt?: number;
  /**
   * Hexadecimal id of the session that the token belongs to. Absent: it belongs to no session. Then only its time of
   * issue decides whether it is revoked.
   */
  readonly sessionId?: string;
  /** Hexadecimal id of the API key that was sent. */
  readonly apiKeyId?: string;
  /** The actions that an API key is limited to, among those of its role. Absent: all actions of the role. */
  readonly scopes?: readonly Action[];
}

/** Names a user within the deployment. A username is unique in its organization alone. */
export const qualifiedUsername = ({
  organizationId,
  username,
}: Pick<Identity, 'organizationId' | 'username'>): string => `${organizationId}/${username}`;

/** The caller of a request, and the source of the request. */
export interface Viewer extends Identity {
  readonly origin: RequestOrigin;
}
