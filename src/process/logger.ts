import { pino, type Logger } from 'pino';

/** Names under which secrets travel in inputs, payloads and documents. */
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

/**
 * Lines of JSON on standard error. Log ids, codes and counts only; the redaction below is a net under that rule, not
 * a licence to log patients.
 */
export function createLogger(level: string, name: string): Logger {
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
    },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** Fields that a line about an error has besides the error: ids, codes and counts. */
interface ErrorContext {
  /** @defaultValue error */
  readonly level?: 'error' | 'warn' | 'info' | 'debug';
  readonly [field: string]: unknown;
}

/** Logs an error in the one way: under `err`, without its message, which may quote a document. */
export function logError(
  logger: Pick<Logger, 'error' | 'warn' | 'info' | 'debug'>,
  error: unknown,
  message: string,
  { level = 'error', ...context }: ErrorContext = {},
): void {
  logger[level]({ ...context, err: error }, message);
}

/**
 * The message is left out: drivers quote documents in it. The type, the code and the place in our code say enough, with
 * the `subject` of our own errors, which is made of ids.
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

/** Redis says the code of an error as the first word of its message, e.g. WRONGPASS. */
const redisCode = ({ name, message }: Error): string | undefined =>
  name === 'ReplyError' ? /^[A-Z]+(?= )/.exec(message)?.[0] : undefined;
