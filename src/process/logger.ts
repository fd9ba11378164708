import { pino, type Logger } from 'pino';
import { createRepeatFolder, type ReportError } from './fold-repeats.js';
import { openLogFile, type LogFile } from './log-file.js';
import { createLogStream } from './log-stream.js';

/** Names of fields that hold secrets in inputs, payloads and documents. */
const credentials = [
  'currentPassword',
  'newPassword',
  'passwordHash',
  'accessToken',
  'refreshToken',
  'tokenHash',
  'familyHash',
  'apiKey',
  'key',
  'secret',
  'secretHash',
  'connectionParams',
];

/** Where the lines of a logger go in addition to its standard place. */
interface LoggerOptions {
  /**
   * The file that takes the lines, as `createLogFile` opened it.
   * @defaultValue standard error
   */
  readonly file?: LogFile | undefined;
  /** Is told each error of level `error` or `fatal` that is written. */
  readonly report?: ReportError | undefined;
}

/** Opens the file of a logger. @throws StartupError when it cannot be written */
export const createLogFile = (path: string, name: string): LogFile =>
  openLogFile(path, tellDropped(name, 'the disk was too slow or full'));

const tellDropped =
  (name: string, reason: string) =>
  (dropped: number): string => {
    const line = { level: pino.levels.values.warn, time: Date.now(), name, dropped };
    return `${JSON.stringify({ ...line, msg: `log lines were dropped: ${reason}` })}\n`;
  };

/**
 * Creates a logger that writes lines of JSON to standard error or to a file. It never waits for a reader
 * (log-stream.ts) or a disk (log-file.ts), and says a few times per minute what happens again and again
 * (fold-repeats.ts). Log ids, codes and counts only. The redaction below is a second safeguard; it does not make it safe
 * to log patients.
 */
export function createLogger(level: string, name: string, { file, report }: LoggerOptions = {}): Logger {
  const redacted = [
    'mrn',
    'givenName',
    'familyName',
    'birthDate',
    'features',
    'inputs',
    'authorization',
    'password',
    'token',
    ...credentials,
  ];
  return pino(
    {
      name,
      level,
      redact: { paths: redacted.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '[redacted]' },
      serializers: { err: describeError },
      hooks: { logMethod: createRepeatFolder(report) },
    },
    file ?? createLogStream(process.stderr, tellDropped(name, 'standard error was not read')),
  );
}

/** Fields of a log line about an error, in addition to the error: ids, codes and counts. */
interface ErrorContext {
  /** @defaultValue error */
  readonly level?: 'error' | 'warn' | 'info' | 'debug';
  readonly [field: string]: unknown;
}

/** Logs an error under `err`, without its message, which may quote a document. All errors are logged in this way. */
export function logError(
  logger: Pick<Logger, 'error' | 'warn' | 'info' | 'debug'>,
  error: unknown,
  message: string,
  { level = 'error', ...context }: ErrorContext = {},
): void {
  logger[level]({ ...context, err: error }, message);
}

/**
 * Describes an error for the log: its type, its code and the place in our code. Our own errors add a `subject`, which
 * is made of ids. The message is left out, because drivers quote documents in it.
 */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const places = error.stack
    ?.split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 10)
    .map((line) => line.trim());
  const { code, subject } = error as { code?: unknown; subject?: unknown };
  return { type: error.name, code: code ?? redisCode(error), subject, places };
}

/** The code of a Redis error: the first word of its message, e.g. WRONGPASS. */
const redisCode = ({ name, message }: Error): string | undefined =>
  name === 'ReplyError' ? /^[A-Z]+(?= )/.exec(message)?.[0] : undefined;
