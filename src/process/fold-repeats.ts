import type { LogFn, Logger } from 'pino';

/** Time in which the same line is written once, milliseconds. */
const windowMs = 60_000;
/** Most kinds of errors that are remembered. The lines of further ones are all written. */
const mostKinds = 500;
/**
 * Most different lines of one kind that are written per window. They differ in ids, such as that of a request. A line whose
 * id a caller was told is what an operator looks for, so more of these are written.
 */
const mostLines = { usual: 20, told: 1_000 };

/** A line of the log about an error, with ids and codes in its fields. */
type ErrorLine = [fields: { readonly err: unknown }, message: string];

/** Is told of an error that is written to the log. */
export type ReportError = (error: unknown, message: string, fields: Readonly<Record<string, unknown>>) => void;

/** The lines of one kind in the present window. */
interface Kind {
  /** The lines that were written, and how often each was repeated. A line with an id of its own is not kept. */
  readonly lines: Map<string, { readonly line: ErrorLine | undefined; repeated: number }>;
  /** Number of further lines that were not written. */
  further: number;
}

const isErrorLine = (line: readonly unknown[]): line is ErrorLine =>
  line.length === 2 &&
  typeof line[1] === 'string' &&
  typeof line[0] === 'object' &&
  line[0] !== null &&
  'err' in line[0];

/** Names the kind of a line. It holds nothing that differs from request to request. */
function kindOf([{ err }, message]: ErrorLine): string {
  const { name, code } = (err instanceof Error ? err : { name: typeof err }) as { name: string; code?: unknown };
  return JSON.stringify([message, name, typeof code === 'string' || typeof code === 'number' ? code : undefined]);
}

/** Two lines with the same key say the same. */
function keyOf([{ err, ...fields }]: ErrorLine): string {
  return JSON.stringify([err instanceof Error ? err.message : '', fields]);
}

/**
 * Creates a hook of pino that folds repeated errors: an outage would fill a disk with one line per request. The first
 * lines are written at once: twenty of a kind, and each of them once; a thousand of a fault that a caller was told. After a minute one more line per repeated one has
 * the number of the others in `repeated`, and one has the number of those that were not written at all.
 * https://github.com/pinojs/pino/blob/main/docs/api.md#logmethod
 * @param report is told each error that is written at level `error` or `fatal`, so it is bounded like the log
 */
export function createRepeatFolder(
  report: ReportError = () => undefined,
): (this: Logger, line: Parameters<LogFn>, write: LogFn, level: number) => void {
  const kinds = new Map<string, Kind>();

  return function fold(line, write, level) {
    if (!isErrorLine(line)) return write.apply(this, line);
    const begin = (): void => {
      write.apply(this, line);
      const [{ err, ...fields }, message] = line;
      if (level >= this.levels.values.error!) report(err, message, fields);
    };
    const name = `${level} ${kindOf(line)}`;
    const kind = kinds.get(name) ?? { lines: new Map(), further: 0 };
    const key = keyOf(line);
    const same = kind.lines.get(key);
    if (same) {
      same.repeated += 1;
      return;
    }
    const hasOwnId = 'correlationId' in line[0];
    if (kind.lines.size >= (hasOwnId ? mostLines.told : mostLines.usual)) {
      kind.further += 1;
      return;
    }
    begin();
    if (kind.lines.size === 0) {
      if (kinds.size >= mostKinds) return;
      kinds.set(name, kind);
      setTimeout(() => {
        kinds.delete(name);
        for (const { line: written, repeated } of kind.lines.values())
          if (written && repeated > 0) write.apply(this, [{ ...written[0], repeated }, written[1]]);
        if (kind.further > 0) write.apply(this, [{ err: line[0].err, repeated: kind.further }, line[1]]);
      }, windowMs).unref();
    }
    kind.lines.set(key, { line: hasOwnId ? undefined : line, repeated: 0 });
  };
}
