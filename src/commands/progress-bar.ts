import { SingleBar } from 'cli-progress';

/** Progress on a terminal; a line a tenth where output is no terminal. On standard error, so that output can be piped. */
export interface ProgressBar {
  /** @param total where it is only known by now, or has changed */
  update(done: number, note?: string, total?: number): void;
  stop(): void;
}

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
