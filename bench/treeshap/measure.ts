/**
 * Measures the seconds of CPU time per call, over at least `seconds` of it. Other work on the machine adds little
 * to it, as it would to elapsed time. The compiler's and the collector's threads are in it.
 */
export function cpuPerCall(call: () => void, seconds: number): number {
  const start = cpuTime();
  let calls = 0;
  let used = 0;
  do {
    call();
    calls++;
    used = cpuTime() - start;
  } while (used < seconds);
  return used / calls;
}

/** The CPU time of this process in seconds, with the operating system's share: only ticks tell the two apart. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function largestDifference(actual: Float64Array, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  return actual.reduce((most, value, index) => Math.max(most, Math.abs(value - expected[index]!)), 0);
}

/** Prints rows of cells under their headings, as Markdown. */
export function printTable(headings: readonly string[], rows: readonly (readonly string[])[]): void {
  const lines = [headings, headings.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  process.stdout.write(`\n${lines.join('\n')}\n`);
}
