import { cpuTimes, type CpuTimes } from '../jobs/cpu-time.js';

/** The benchmark's own processes: its clients. */
export const clients = ['API', 'others'];

/** Microseconds of CPU time per piece of work, by role. Clients are not part of it. */
export type CpuByRole = ReadonlyMap<string, number>;

/** CPU time per piece since `before`, by role. Roles with almost none are left out. */
export function cpuByRole(before: CpuTimes, pieces: number): CpuByRole {
  const roles = new Map<string, number>();
  for (const [name, time] of cpuTimes()) {
    const role = name.split('/')[0]!;
    if (!clients.includes(role)) roles.set(role, (roles.get(role) ?? 0) + (time - (before.get(name) ?? 0)) / pieces);
  }
  const all = sum(roles);
  return new Map([...roles].filter(([, time]) => time > all / 100));
}

export const sum = (roles: CpuByRole): number => [...roles.values()].reduce((total, time) => total + time, 0);

export const shownRoles = (roles: CpuByRole): string =>
  [...roles].map(([role, time]) => `${role} ${time.toFixed(0)}`).join(', ');
