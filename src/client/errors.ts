/** An error of a response, as the API's contract defines it. */
export interface ResponseError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: {
    readonly code?: string;
    readonly fields?: readonly { path: string; message: string }[];
    readonly correlationId?: string;
    readonly retryAfterSeconds?: number;
  };
}

/** The answer to an operation, or one event of a subscription. */
export interface Result<T = unknown> {
  readonly data?: T | null;
  readonly errors?: readonly ResponseError[];
}

/** Thrown for a response with errors. */
export class GraphqlRequestError extends Error {
  override readonly name = 'GraphqlRequestError';
  /** @param data the parts of the answer that could be given */
  constructor(
    readonly errors: readonly ResponseError[],
    readonly data?: unknown,
  ) {
    super(errors.map(({ message, extensions }) => `${extensions?.code ?? 'ERROR'}: ${message}`).join('; '));
  }
  /** The code of the first error. */
  get code(): string | undefined {
    return this.errors[0]?.extensions?.code;
  }
}

/** Thrown when the API cannot be reached, or a connection to it broke. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  /** @param code the status of HTTP, or the code with which the WebSocket was closed. Undefined when there was none */
  constructor(
    message: string,
    readonly code?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Says that the API does not accept the access token. Has the form of the API's own answer. */
export const unauthenticated = (message: string): GraphqlRequestError =>
  new GraphqlRequestError([{ message, extensions: { code: 'UNAUTHENTICATED' } }]);
