import type { LogFn, Logger } from 'pino';

/** Time in which the same line is written once, milliseconds. */
const windowMs = 60_000;
/** Most different lines that are remembered. Further ones are all written. */
const mostRemembered = 500;

/** A line of the log about an error, with ids and codes in its fields. */
type ErrorLine = [fields: { readonly err: unknown }, message: string];

const isErrorLine = (line: readonly unknown[]): line is ErrorLine =>
  line.length === 2 &&
  typeof line[1] === 'string' &&
  typeof line[0] === 'object' &&
  line[0] !== null &&
  'err' in line[0];

/** Two lines with the same key say the same. */
function keyOf([{ err, ...fields }, message]: ErrorLine): string {
  const { name, message: reason } = err instanceof Error ? err : { name: typeof err, message: '' };
  return JSON.stringify([message, name, reason, fields]);
}

/**
 * Creates a hook of pino that folds repeated errors: an outage would fill a disk with one line. The first line is
 * written at once. After a minute one more line has the number of the others in `repeated`.
 * https://github.com/pinojs/pino/blob/main/docs/api.md#logmethod
 */
export function createRepeatFolder(): (this: Logger, line: Parameters<LogFn>, write: LogFn) => void {
  const counts = new Map<string, number>();
  return function fold(line, write) {
    if (!isErrorLine(line)) return write.apply(this, line);
    const key = keyOf(line);
    const count = counts.get(key);
    if (count !== undefined) {
      counts.set(key, count + 1);
      return;
    }
    write.apply(this, line);
    if (counts.size >= mostRemembered) return;
    counts.set(key, 0);
    setTimeout(() => {
      const repeated = counts.get(key);
      counts.delete(key);
      if (repeated) write.apply(this, [{ ...line[0], repeated }, line[1]]);
    }, windowMs).unref();
  };
}
