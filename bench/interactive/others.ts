import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { cpuTimes } from '../jobs/cpu-time.js';

const tickMicroseconds = 10_000;

/** CPU time that all processes of the machine have used, and that its host gave to others, in microseconds. */
function machineTime(): number {
  const [, user, nice, system, , , , , stolen] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!.split(/\s+/);
  return [user, nice, system, stolen].reduce((sum, ticks) => sum + Number(ticks), 0) * tickMicroseconds;
}

/**
 * Watches what processes other than ours do with the machine. None of ours may end meanwhile.
 * @returns a function that tells their share of all cores since, 0 to 1
 */
export function watchOthers(): () => number {
  const own = (): number => [...cpuTimes().values()].reduce((sum, time) => sum + time, 0);
  const before = { machine: machineTime(), own: own(), at: performance.now() };
  return () => {
    const used = machineTime() - before.machine - (own() - before.own);
    return Math.max(0, used / ((performance.now() - before.at) * 1_000 * cpus().length));
  };
}
