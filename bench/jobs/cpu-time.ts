import { existsSync, readdirSync, readFileSync } from 'node:fs';

// Reads CPU time by process and thread (Linux). Unlike a rate, CPU per job hardly depends on the other load of the
// machine.
const tickMicroseconds = 10_000;

/** CPU time of each thread of this process and of its children, in microseconds, by "process/thread". */
export type CpuTimes = ReadonlyMap<string, number>;

/** Names of processes, by a text of their command line. */
const processNames = [
  [/mongo-host|mongod/, 'mongod'],
  [/redis-server/, 'redis'],
  [/floor-worker/, 'floor worker'],
  [/bare-engine/, 'bare engine'],
  [/cli\.[jt]s worker/, 'worker'],
  [/cli\.[jt]s api/, 'API process'],
  [/gunicorn/, 'gunicorn'],
  [/celery/, 'Celery'],
  [/peer\/node\/server/, 'GraphQL peer'],
] as const;

export function cpuTimes(): CpuTimes {
  const times = new Map<string, number>();
  for (const { pid, name } of namedProcesses()) {
    for (const thread of threadsOf(pid)) {
      // Only the fields from the third on: the second is a name with any characters.
      const fields = read(`/proc/${pid}/task/${thread}/stat`)?.split(') ').at(-1)!.split(' ');
      if (!fields) continue;
      const key =
        name === 'mongod' || name === 'redis' ? name : `${name}/${thread === String(pid) ? 'main' : 'other threads'}`;
      times.set(key, (times.get(key) ?? 0) + (Number(fields[11]) + Number(fields[12])) * tickMicroseconds);
    }
  }
  return times;
}

/**
 * Describes the CPU time of each thread since `before`, per piece of work, and the sum. Threads with almost none are
 * left out.
 */
export function cpuSince(before: CpuTimes, pieces: number): string {
  const used = [...cpuTimes()].map(([name, time]) => [name, (time - (before.get(name) ?? 0)) / pieces] as const);
  const sum = used.reduce((total, [, time]) => total + time, 0);
  return [...used.filter(([, time]) => time > sum / 100), ['sum', sum] as const]
    .map(([name, time]) => `${name} ${time.toFixed(1)}`)
    .join(', ');
}

/** This process and all that it has started, with the names that `cpuTimes` gives them. */
export const namedProcesses = (): { readonly pid: number; readonly name: string }[] =>
  ownProcesses().map((pid) => ({ pid, name: pid === process.pid ? 'API' : nameOf(pid) }));

function ownProcesses(): number[] {
  const found = [process.pid];
  for (const pid of found) {
    for (const thread of threadsOf(pid))
      found.push(...(read(`/proc/${pid}/task/${thread}/children`) ?? '').split(' ').filter(Boolean).map(Number));
  }
  return found;
}

const nameOf = (pid: number): string => {
  const command = (read(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ');
  return processNames.find(([pattern]) => pattern.test(command))?.[1] ?? 'others';
};

const threadsOf = (pid: number): string[] => (existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : []);

/** Reads a file of /proc; undefined when its process has ended. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
