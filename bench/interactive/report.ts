/* eslint-disable no-console -- a benchmark prints */
import { median, percentile } from '../jobs/setup.js';
import { shownRoles, sum, type CpuByRole } from './cpu.js';

/** One measurement of one work of one side. */
export interface Measured {
  readonly work: string;
  readonly side: string;
  readonly seconds: number;
  /** The number of pieces, or the milliseconds that each took. */
  readonly done: number | readonly number[];
  readonly cpu: CpuByRole;
  /** Share of the machine that processes other than the benchmark's used meanwhile, 0 to 1. */
  readonly others: number;
}

/** The start of a side, and its memory. */
export interface Started {
  readonly side: string;
  /** Seconds from the start of its processes to the first result of a job. */
  readonly seconds: number;
  /** MiB, without MongoDB and Redis. */
  readonly idle: number;
  readonly largest: number;
}

/** Share of the machine above which a measurement counts as disturbed. */
const disturbing = 0.05;

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

export const piecesOf = (done: Measured['done']): number => (typeof done === 'number' ? done : done.length);

/** A rate, or the percentiles of times. */
function figure(measured: readonly Measured[]): string {
  const times = measured.flatMap(({ done }) => (typeof done === 'number' ? [] : done)).sort((a, b) => a - b);
  return times.length > 0
    ? `p50 ${percentile(times, 50).toFixed(1)} ms, p99 ${percentile(times, 99).toFixed(1)} ms`
    : `${median(measured.map(({ done, seconds }) => piecesOf(done) / seconds)).toFixed(0)} per second`;
}

export function printMeasured(round: string, measured: Measured): void {
  const { work, side, cpu, others } = measured;
  const disturbed = others > disturbing ? ` | other work had ${percent(others)} of the machine` : '';
  console.log(
    `${round} | ${work} | ${side} | ${figure([measured])} | CPU us ${sum(cpu).toFixed(0)}: ${shownRoles(cpu)}${disturbed}`,
  );
}

export function printStarts(all: readonly Started[]): void {
  console.log('\n| side | start to first result | PSS after it, MiB | largest PSS |\n|---|---|---|---|');
  for (const side of new Set(all.map((one) => one.side))) {
    const of = (what: 'seconds' | 'idle' | 'largest'): number =>
      median(all.filter((one) => one.side === side).map((one) => one[what]));
    console.log(`| ${side} | ${of('seconds').toFixed(1)} s | ${of('idle').toFixed(0)} | ${of('largest').toFixed(0)} |`);
  }
}

/** Prints medians, work by work, and whether other work used the machine. */
export function printSummary(all: readonly Measured[]): void {
  console.log('\nMedians of the rounds; times are of all rounds together.\n');
  console.log('| work | side | figure | CPU µs per piece | of which |\n|---|---|---|---|---|');
  for (const work of new Set(all.map((one) => one.work))) {
    for (const side of new Set(all.map((one) => one.side))) {
      const measured = all.filter((one) => one.work === work && one.side === side);
      if (measured.length === 0) continue;
      const typical = median(measured.map(({ cpu }) => sum(cpu)));
      const { cpu } = measured.find((one) => sum(one.cpu) === typical)!;
      console.log(`| ${work} | ${side} | ${figure(measured)} | ${sum(cpu).toFixed(0)} | ${shownRoles(cpu)} |`);
    }
  }
  const shares = all.map(({ others }) => others);
  const disturbed = shares.filter((share) => share > disturbing).length;
  console.log(
    `\nOther processes used ${percent(median(shares))} of the machine in the median measurement, and ` +
      `${percent(Math.max(...shares))} at most. ` +
      (disturbed === 0
        ? 'The machine was quiet.'
        : `THE MACHINE WAS NOT QUIET: they used more than ${percent(disturbing)} in ${disturbed} of ${shares.length} measurements.`),
  );
}
