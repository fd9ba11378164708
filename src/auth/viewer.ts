import type { Role } from '../../models/index.js';
import type { Action } from './permissions.js';

/** Where a request came from, for the audit trail. */
export interface RequestOrigin {
  /** Correlates what a caller saw with what the log and the audit trail say. */
  readonly requestId: string;
  /** IP address of the caller, or of the proxy where none is trusted. */
  readonly address: string;
}

/** Who a credential speaks for: taken from what was verified, never from the request's own words. */
export interface Identity {
  /** Username within the organization; `api-key:<id>` for an API key, which no user can be called. */
  readonly username: string;
  readonly role: Role;
  readonly organizationId: string;
  /** When the credential ends, in milliseconds since 1970. */
  readonly expiresAt: number;
  /** When it was issued, in milliseconds since 1970. Absent: before any revocation. */
  readonly issuedAt?: number;
  /** Hexadecimal id of the session that the token belongs to. Absent: it belongs to none, and is judged by when it was issued. */
  readonly sessionId?: string;
  /** Hexadecimal id of the API key that was sent. */
  readonly apiKeyId?: string;
  /** The actions that an API key is limited to, of those that its role may do. Absent: all of them. */
  readonly scopes?: readonly Action[];
}

/** Who is calling, and from where. */
export interface Viewer extends Identity {
  readonly origin: RequestOrigin;
}
