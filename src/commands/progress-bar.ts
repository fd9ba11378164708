import { SingleBar } from 'cli-progress';

/**
 * Shows progress on a terminal; elsewhere it prints a line per second. It uses standard error, so that the output can
 * be piped.
 */
export interface ProgressBar {
  /** @param total the new total, when it was unknown or has changed */
  update(done: number, note?: string, total?: number): void;
  stop(): void;
}

/** Starts a progress bar at 0. */
export function startProgressBar(label: string, total: number): ProgressBar {
  const bar = new SingleBar({
    format: `${label} [{bar}] {percentage} % | {value}/{total} | {note}`,
    barCompleteChar: '#',
    barIncompleteChar: '-',
    hideCursor: true,
    stream: process.stderr,
    noTTYOutput: true,
    notTTYSchedule: 1_000,
  });
  bar.start(total, 0, { note: '' });
  return {
    update: (done, note = '', newTotal) => {
      if (newTotal !== undefined) bar.setTotal(newTotal);
      bar.update(done, { note });
    },
    stop: () => bar.stop(),
  };
}
