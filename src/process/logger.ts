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

/**
 * The message is left out: drivers quote documents in it. The type, the code and the place in our code say enough, with
 * the `subject` of our own errors, which is made of ids.
 */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const places = error.stack
    ?.split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 10)
    .map((line) => line.trim());
  const { code, subject } = error as { code?: unknown; subject?: unknown };
  return { type: error.name, code, subject, places };
}
