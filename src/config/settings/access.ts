import { wholeNumber } from '../setting-schemas.js';
import type { Setting } from '../setting.js';

/** Durations of access. */
export const accessSettings = [
  {
    name: 'ACCESS_TOKEN_MINUTES',
    key: 'accessTokenMinutes',
    schema: wholeNumber(1, 60).default(15),
    description: 'Minutes for which the access token of a session is valid',
  },
  {
    name: 'SESSION_HOURS',
    key: 'sessionHours',
    schema: wholeNumber(1, 168).default(12),
    description: 'Hours after its login at which a session ends, even if it was refreshed',
  },
  {
    name: 'BREAK_GLASS_MINUTES',
    key: 'breakGlassMinutes',
    schema: wholeNumber(1, 1_440).default(60),
    description: 'Minutes for which a patient outside the care team stays visible after a break-glass access',
  },
  {
    name: 'BREAK_GLASS_PER_HOUR',
    key: 'breakGlassPerHour',
    schema: wholeNumber(1, 1_000).default(20),
    description: 'Most break-glass accesses of one clinician in an hour',
  },
] as const satisfies readonly Setting[];
