/** How many backups are kept: the newest one of each of the last days, weeks and months that have one. */
export interface KeepRules {
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
}

const dayMs = 86_400_000;

/** The day, the week (from Monday) and the month of a time, by UTC. */
const periods: Readonly<Record<keyof KeepRules, (time: Date) => number>> = {
  daily: (time) => Math.floor(time.getTime() / dayMs),
  // The first of January 1970 was a Thursday.
  weekly: (time) => Math.floor((Math.floor(time.getTime() / dayMs) + 3) / 7),
  monthly: (time) => time.getUTCFullYear() * 12 + time.getUTCMonth(),
};

/**
 * Chooses the backups that are kept. A period without a backup does not count: where backups fail for a month, the last
 * good ones stay. The newest one is always kept.
 * @param times of the backups, in any order
 */
export function kept(times: readonly Date[], rules: KeepRules): Date[] {
  const newestFirst = [...times].sort((a, b) => b.getTime() - a.getTime());
  const keep = new Set<Date>(newestFirst.slice(0, 1));
  for (const [rule, periodOf] of Object.entries(periods) as [keyof KeepRules, (time: Date) => number][]) {
    const newestOfPeriod = new Map<number, Date>();
    for (const time of newestFirst) if (!newestOfPeriod.has(periodOf(time))) newestOfPeriod.set(periodOf(time), time);
    for (const time of [...newestOfPeriod.values()].slice(0, rules[rule])) keep.add(time);
  }
  return newestFirst.filter((time) => keep.has(time));
}
