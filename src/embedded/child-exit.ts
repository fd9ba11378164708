import type { ChildProcess } from 'node:child_process';

/** The end of a child process: `code` when it exited, `signal` when it was killed. */
export interface ChildExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The reason why we ended it, in a phrase such as `gave no sign of life for 20 s`. */
  reason?: string;
}

/** Resolves when `child` has ended, or could not be started at all. Never rejects. */
export function exitOf(child: ChildProcess): Promise<ChildExit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => {
      if (child.pid === undefined) resolve({ code: 127, signal: null });
    });
  });
}

/** Describes the end in one phrase for the operator, e.g. `ended with exit code 1` or `was killed by SIGKILL`. */
export function describeExit({ code, signal, reason }: ChildExit): string {
  if (reason !== undefined) return reason;
  return signal ? `was killed by ${signal}` : `ended with exit code ${code}`;
}

/** Asks `child` to end, waits `patience` milliseconds, then kills it. Resolves when it is gone. */
export async function terminate(child: ChildProcess, exited: Promise<ChildExit>, patience = 15_000): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), patience);
  await exited;
  clearTimeout(timer);
}

/** Keeps the last `limit` characters that `child` writes. An error shows them as the reason of its end. */
export function lastOutput(child: ChildProcess, limit = 2_000): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-limit);
    });
  }
  return () => text.trim();
}
