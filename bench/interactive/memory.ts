import { readFileSync } from 'node:fs';
import { namedProcesses } from '../jobs/cpu-time.js';
import { clients } from './cpu.js';

const engines = ['mongod', 'redis'];

/**
 * Proportional set size of the measured side, MiB: memory that its processes share counts once. The engines and the
 * clients are not part of it. Linux only.
 */
export function sideMemory(): number {
  const sizes = namedProcesses()
    .filter(({ name }) => !clients.includes(name) && !engines.includes(name))
    .map(({ pid }) => Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))![1]));
  return sizes.reduce((sum, size) => sum + size, 0) / 1_024;
}
