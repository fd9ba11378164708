import type { Role } from '../../models/index.js';

/** Where a request came from, for the audit trail. */
export interface RequestOrigin {
  /** Correlates what a caller saw with what the log and the audit trail say. */
  readonly requestId: string;
  /** IP address of the caller, or of the proxy where none is trusted. */
  readonly address: string;
}

/** Who a credential speaks for: taken from what was verified, never from the request's own words. */
export interface Identity {
  /** Username within the organization. */
  readonly username: string;
  readonly role: Role;
  readonly organizationId: string;
  /** When the credential ends, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Who is calling, and from where. */
export interface Viewer extends Identity {
  readonly origin: RequestOrigin;
}
