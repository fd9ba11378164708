import { pino, type Logger } from 'pino';

/**
 * Lines of JSON on standard error. Log ids, codes and counts only; the redaction below is a net under that rule, not
 * a licence to log patients.
 */
export function createLogger(level: string, name: string): Logger {
  const redacted = ['mrn', 'givenName', 'familyName', 'birthDate', 'features', 'inputs', 'authorization', 'password', 'token'];
  return pino(
    {
      name,
      level,
      redact: { paths: redacted.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '[redacted]' },
      // The driver and BullMQ put documents into messages of their errors: a type and a code say enough.
      serializers: { err: (error: Error & { code?: unknown }) => ({ type: error.name, code: error.code }) },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}
