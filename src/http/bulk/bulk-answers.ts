import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AuditTrail } from '../../audit/audit-trail.js';
import type { Viewer } from '../../auth/viewer.js';
import { RateLimitedError, RiskGraphError, UnauthenticatedError, type ErrorCode } from '../../errors.js';
import { isDatabaseOutage } from '../../storage/database.js';
import { recordDenials } from '../denials.js';
import type { ErrorFormatter } from '../error-format.js';

/** The status of an answer, by the code of its error. */
const statuses: Partial<Readonly<Record<ErrorCode, number>>> = {
  UNAUTHENTICATED: 401,
  INVALID_CREDENTIALS: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  BAD_USER_INPUT: 400,
  CONFLICT: 409,
  RATE_LIMITED: 429,
  SERVICE_UNAVAILABLE: 503,
};

/** A body that is larger than a cohort may be. */
export class BodyTooLargeError extends RiskGraphError {
  constructor(message: string) {
    super('BAD_USER_INPUT', message);
  }
}

function statusOf(error: unknown): number {
  if (error instanceof BodyTooLargeError) return 413;
  if (error instanceof RiskGraphError) return statuses[error.code] ?? 500;
  return isDatabaseOutage(error) ? 503 : 500;
}

/** Answers with an error in the form of GraphQL's, and records a refusal. */
export async function answerError(
  error: unknown,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  { audit, formatError }: { readonly audit: AuditTrail; readonly formatError: ErrorFormatter },
): Promise<FastifyReply> {
  await recordDenials(audit, request.caller?.viewer ?? null, [error]);
  if (error instanceof RateLimitedError) reply.header('retry-after', error.retryAfterSeconds);
  return reply.status(statusOf(error)).send({ errors: [formatError(error, request.id)] });
}

/** The caller of a request. @throws the reason why its credential is not accepted */
export function requireViewer({ caller }: FastifyRequest): Viewer {
  if (caller?.viewer) return caller.viewer;
  throw caller?.authenticationError ?? new UnauthenticatedError();
}
