/** Every code a caller may meet in `extensions.code`. */
export const errorCodes = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'BAD_USER_INPUT',
  'CONFLICT',
  'RATE_LIMITED',
  'QUERY_TOO_COMPLEX',
  'SERVICE_UNAVAILABLE',
  'INTERNAL',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** One field of the caller's input that was refused: its path within the input, and why. Never holds the value. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

/**
 * An error that a caller is meant to see. The message names the thing, the reason and the remedy, and never holds
 * patient data. Everything else that is thrown is INTERNAL and shown as a correlation id only.
 */
export class RiskGraphError extends Error {
  override readonly name: string = 'RiskGraphError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export class UnauthenticatedError extends RiskGraphError {
  override readonly name = 'UnauthenticatedError';
  constructor(message = 'No valid access token: send one as "Authorization: Bearer ...".') {
    super('UNAUTHENTICATED', message);
  }
}

export class ForbiddenError extends RiskGraphError {
  override readonly name = 'ForbiddenError';
  /**
   * @param action of the permission table that was refused, for the audit trail
   * @param patientId of whom it was refused, where it is known
   */
  constructor(
    message: string,
    readonly action?: string,
    readonly patientId?: string,
  ) {
    super('FORBIDDEN', message);
  }
}

/** Also for objects of another organization, which must look as if they did not exist. */
export class NotFoundError extends RiskGraphError {
  override readonly name = 'NotFoundError';
  constructor(what: string) {
    super('NOT_FOUND', `${what} was not found in your organization.`);
  }
}

export class BadUserInputError extends RiskGraphError {
  override readonly name = 'BadUserInputError';
  constructor(readonly fields: readonly FieldError[]) {
    super('BAD_USER_INPUT', fields.map((field) => `${field.path}: ${field.message}`).join('; '));
  }
}

export class ConflictError extends RiskGraphError {
  override readonly name = 'ConflictError';
  constructor(message: string) {
    super('CONFLICT', message);
  }
}

/** Too many requests, log-ins or subscriptions of one caller. */
export class RateLimitedError extends RiskGraphError {
  override readonly name = 'RateLimitedError';
  /** @param retryAfterSeconds when it is worth trying again, whole seconds from now (RFC 9110, Retry-After) */
  constructor(
    message: string,
    readonly retryAfterSeconds: number,
  ) {
    super('RATE_LIMITED', message);
  }
}

/** A query that asks for more than one request may: refused before anything of it is run. */
export class QueryTooComplexError extends RiskGraphError {
  override readonly name = 'QueryTooComplexError';
  constructor(message: string) {
    super('QUERY_TOO_COMPLEX', message);
  }
}

export class ServiceUnavailableError extends RiskGraphError {
  override readonly name = 'ServiceUnavailableError';
  constructor(message: string, options?: ErrorOptions) {
    super('SERVICE_UNAVAILABLE', message, options);
  }
}

/** An error of the set-up that the operator must mend: printed as one line by the command line, exit code 1. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}
