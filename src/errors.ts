/** Every code that a caller may get in `extensions.code`, or as the reason of a job. */
export enum ErrorCode {
  UNAUTHENTICATED = 'UNAUTHENTICATED',
  INVALID_CREDENTIALS = 'INVALID_CREDENTIALS',
  FORBIDDEN = 'FORBIDDEN',
  NOT_FOUND = 'NOT_FOUND',
  BAD_USER_INPUT = 'BAD_USER_INPUT',
  CONFLICT = 'CONFLICT',
  RATE_LIMITED = 'RATE_LIMITED',
  QUERY_TOO_COMPLEX = 'QUERY_TOO_COMPLEX',
  SERVICE_UNAVAILABLE = 'SERVICE_UNAVAILABLE',
  INTERNAL = 'INTERNAL',
  WORKER_LOST = 'WORKER_LOST',
}

/**
 * One field of the caller's input that was refused: its path within the input, and the reason. It never holds the
 * value.
 */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

/**
 * An error that a caller is meant to see. The message names the thing, the reason and the remedy. It never holds
 * patient data. Any other error is INTERNAL: the caller gets only a correlation id.
 */
export class RiskGraphError extends Error {
  override readonly name: string = 'RiskGraphError';
  constructor(
    readonly code: `${ErrorCode}`,
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

/**
 * Says that a login failed. Unlike UNAUTHENTICATED, no fresh token helps: the user must type the credentials again. It
 * does not say which of them is wrong.
 */
export class InvalidCredentialsError extends RiskGraphError {
  override readonly name = 'InvalidCredentialsError';
  constructor() {
    super('INVALID_CREDENTIALS', 'The organization, the username or the password is wrong.');
  }
}

export class ForbiddenError extends RiskGraphError {
  override readonly name = 'ForbiddenError';
  /**
   * @param action refused action of the permission table, for the audit trail
   * @param patientId patient of the refused request, when it is known
   */
  constructor(
    message: string,
    readonly action?: string,
    readonly patientId?: string,
  ) {
    super('FORBIDDEN', message);
  }
}

/**
 * Says that an object does not exist. Objects of another organization get the same error, so that they look the same.
 */
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

/** Says that the state of what is stored does not allow the change. It names the field of the input that conflicts. */
export class ConflictError extends RiskGraphError {
  override readonly name = 'ConflictError';
  readonly fields: readonly FieldError[];
  /** @param path field of the input, as in BadUserInputError */
  constructor(path: string, message: string) {
    super('CONFLICT', message);
    this.fields = [{ path, message }];
  }
}

/** Says that one caller has made too many requests, log-ins or subscriptions. */
export class RateLimitedError extends RiskGraphError {
  override readonly name = 'RateLimitedError';
  /** @param retryAfterSeconds whole seconds from now after which a retry can succeed (RFC 9110, Retry-After) */
  constructor(
    message: string,
    readonly retryAfterSeconds: number,
  ) {
    super('RATE_LIMITED', message);
  }
}

/** Whole seconds until a retry can succeed, at least one. @param waitMs milliseconds until then */
export const retrySeconds = (waitMs: number): number => Math.max(1, Math.ceil(waitMs / 1000));

/** Says that a query asks for more than one request may. It is refused before any part of it runs. */
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

/**
 * An error of the set-up that the operator must correct. The command line prints it as one line and exits with code 1.
 */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}
