import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema } from 'graphql';
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { isDatabaseOutage, isDiskFull, isReadTimeout } from '../storage/database.js';
import { BadUserInputError, ConflictError, RateLimitedError, RiskGraphError, type ErrorCode } from '../errors.js';
import { describeRequestIssue, type RequestIssue } from './coercion-error.js';
import { defined } from '../process/defined.js';
import { logError } from '../process/logger.js';

/** Codes of Apollo and graphql-js that mean an issue with the caller's request. */
const requestIssueCodes: ReadonlySet<string> = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_REQUEST',
  'OPERATION_RESOLUTION_FAILURE',
  'BAD_USER_INPUT',
  'PERSISTED_QUERY_NOT_SUPPORTED',
]);

/**
 * Matches messages about arguments and variables that are found wrong only when the operation runs.
 * https://github.com/graphql/graphql-js/blob/16.x.x/src/execution/values.ts
 */
const badArgument = /^(?:Variable "\$\w+" |Argument "\w+" (?:of (?:required|non-null) type|has invalid value) )/;

/**
 * Turns any error into one that a caller may see: a code of our contract, a message without patient data, and the id
 * of the request, which the log and the audit trail name too. Never throws.
 * @param requestId absent: there is no request yet, only bytes that are none; the error gets an id of its own
 */
export type ErrorFormatter = (error: unknown, requestId?: string) => GraphQLFormattedError;

/**
 * @param options.count is told the code of each error that a caller sees
 * @param options.schema absent: the values of enums are not listed
 */
export function createErrorFormatter(
  logger: Logger,
  {
    count = () => undefined,
    schema,
  }: { readonly count?: (code: `${ErrorCode}`) => void; readonly schema?: GraphQLSchema } = {},
): ErrorFormatter {
  return (error, requestId = randomUUID()) => {
    const graphqlError = error instanceof GraphQLError ? error : undefined;
    const cause = graphqlError?.originalError ?? error;
    const place = defined({ locations: graphqlError?.locations, path: graphqlError?.path });
    const show = (code: `${ErrorCode}`, message: string, extra: object = {}): GraphQLFormattedError => {
      count(code);
      return { message, ...place, extensions: { code, requestId, ...extra } };
    };

    if (cause instanceof RiskGraphError && cause.code !== 'INTERNAL') {
      return show(cause.code, cause.message, detailsOf(cause));
    }
    if (isDiskFull(cause)) {
      logError(logger, cause, 'a disk is full: make room on that of MongoDB, or on that of this process', {
        requestId,
      });
      return show('SERVICE_UNAVAILABLE', 'A disk of the server is full: tell your operator. Nothing was changed.');
    }
    if (isDatabaseOutage(cause)) {
      logError(logger, cause, 'database away', { level: 'warn', requestId });
      return show('SERVICE_UNAVAILABLE', 'The database does not answer: try again in a moment.');
    }
    if (isReadTimeout(cause)) {
      logError(logger, cause, 'a read took too long', { level: 'warn', requestId });
      return show(
        'SERVICE_UNAVAILABLE',
        'The database took too long to find this: ask for less at once, or try again when it is less busy.',
      );
    }
    const requestIssue = requestIssueOf(error, graphqlError, schema);
    if (requestIssue) return show('BAD_USER_INPUT', requestIssue.message, { fields: requestIssue.fields });
    logError(logger, cause, 'request failed', { requestId, correlationId: requestId });
    return show(
      'INTERNAL',
      `The server failed to answer this request. Tell your operator the correlation id ${requestId}.`,
      { correlationId: requestId },
    );
  };
}

/** Returns the fields that an error's code adds to its message. */
function detailsOf(error: RiskGraphError): object {
  if (error instanceof BadUserInputError || error instanceof ConflictError) return { fields: error.fields };
  if (error instanceof RateLimitedError) return { retryAfterSeconds: error.retryAfterSeconds };
  return {};
}

/** @returns undefined when the caller's request is not the cause of the error */
function requestIssueOf(
  error: unknown,
  graphqlError: GraphQLError | undefined,
  schema: GraphQLSchema | undefined,
): RequestIssue | undefined {
  const { code } = (graphqlError ?? (error as Partial<GraphQLError> | undefined))?.extensions ?? {};
  if (!graphqlError)
    return typeof code === 'string' && requestIssueCodes.has(code)
      ? describeRequestIssue(error as Error & { nodes: undefined })
      : undefined;
  // The coercion and validation errors of graphql-js have no original error. Over WebSocket they have no code either.
  const fromGraphql = graphqlError.originalError === undefined && code === undefined;
  const isAboutRequest =
    fromGraphql || (typeof code === 'string' && requestIssueCodes.has(code)) || badArgument.test(graphqlError.message);
  return isAboutRequest ? describeRequestIssue(graphqlError, schema) : undefined;
}
