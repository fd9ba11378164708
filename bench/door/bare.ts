import type { Protections } from '../../src/http/protections.js';

/** Everything off. What is added to the door is added here too, or the comparison does not see it. */
export const bare: Protections = { queryLimits: false, rateLimits: false, headers: false, socketLimits: false };
