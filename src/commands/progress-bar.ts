import { SingleBar } from 'cli-progress';

/** Progress on a terminal; a line a tenth where output is no terminal. On standard error, so that output can be piped. */
export interface ProgressBar {
  update(done: number, note?: string): void;
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
    update: (done, note = '') => bar.update(done, { note }),
    stop: () => bar.stop(),
  };
}
