import type { Role } from '../../models/index.js';

/** Who is calling: taken from a verified access token, never from the request's own words. */
export interface Viewer {
  /** Username within the organization. */
  readonly username: string;
  readonly role: Role;
  readonly organizationId: string;
  /** When the token ends, in milliseconds since 1970. */
  readonly expiresAt: number;
}
