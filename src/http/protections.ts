/**
 * Which protections of the door are on. All are, always: only the benchmark that says what they cost turns them off, and
 * no setting reaches this. What needs no switch because it costs nothing (CSRF prevention, no batches, masked errors) is
 * not here.
 */
export interface Protections {
  readonly queryLimits: boolean;
  readonly rateLimits: boolean;
  readonly headers: boolean;
  readonly socketLimits: boolean;
}

export const everyProtection: Protections = { queryLimits: true, rateLimits: true, headers: true, socketLimits: true };
