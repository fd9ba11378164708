/**
 * Says which protections of the API are on. All are always on; no setting turns one off. Only the benchmark that
 * measures their cost does. Protections that cost nothing (CSRF prevention, no batches, masked errors) have no switch
 * here.
 */
export interface Protections {
  readonly queryLimits: boolean;
  readonly rateLimits: boolean;
  readonly headers: boolean;
  readonly socketLimits: boolean;
}

export const everyProtection: Protections = { queryLimits: true, rateLimits: true, headers: true, socketLimits: true };
