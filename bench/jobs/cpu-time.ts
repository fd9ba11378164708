import { existsSync, readdirSync, readFileSync } from 'node:fs';

// CPU time by process and thread (Linux). Unlike a rate, CPU a job hardly depends on what else the machine does.
const tickMicroseconds = 10_000;

/** CPU that each thread of this process and of its children has had, in microseconds, by "process/thread". */
export type CpuTimes = ReadonlyMap<string, number>;

/** A worker of the floor, an engine or the like, by what its command line says. */
const processNames = [
  [/mongo-host|mongod/, 'mongod'],
  [/redis-server/, 'redis'],
  [/floor-worker/, 'floor worker'],
  [/bare-engine/, 'bare engine'],
  [/cli\.[jt]s worker/, 'worker'],
] as const;

export function cpuTimes(): CpuTimes {
  const times = new Map<string, number>();
  for (const pid of ownProcesses()) {
    const name = pid === process.pid ? 'API' : nameOf(pid);
    for (const thread of threadsOf(pid)) {
      // The fields from the third on: the second is a name, and may hold anything.
      const fields = read(`/proc/${pid}/task/${thread}/stat`)?.split(') ').at(-1)!.split(' ');
      if (!fields) continue;
      const key =
        name === 'mongod' || name === 'redis' ? name : `${name}/${thread === String(pid) ? 'main' : 'other threads'}`;
      times.set(key, (times.get(key) ?? 0) + (Number(fields[11]) + Number(fields[12])) * tickMicroseconds);
    }
  }
  return times;
}

/** What each has had since, a piece of work, and the sum. Those that had next to nothing are left out. */
export function cpuSince(before: CpuTimes, pieces: number): string {
  const used = [...cpuTimes()].map(([name, time]) => [name, (time - (before.get(name) ?? 0)) / pieces] as const);
  const sum = used.reduce((total, [, time]) => total + time, 0);
  return [...used.filter(([, time]) => time > sum / 100), ['sum', sum] as const]
    .map(([name, time]) => `${name} ${time.toFixed(1)}`)
    .join(', ');
}

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

/** Undefined for what has just ended. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
