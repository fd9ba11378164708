import type {
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
  RouteHandlerMethod,
} from 'fastify';
import { ServiceUnavailableError } from '../errors.js';
import { withinTime } from '../process/within-time.js';
import type { ErrorFormatter } from './error-format.js';

/** What `fastifyApolloHandler` makes. */
type ApolloHandler = RouteHandlerMethod<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  { Reply: string }
>;

/**
 * Answers in place of a handler that takes longer than an operation may. The operation is not broken off, as it could leave
 * half of a change behind: what it waits for ends by itself, each read of MongoDB, Redis and the identity provider in its time.
 *
 * Fastify's own `handlerTimeout` forgets requests that have a body: https://github.com/fastify/fastify/pull/6725
 */
export function limitOperationTime(
  handler: ApolloHandler,
  timeoutMs: number,
  formatError: ErrorFormatter,
): ApolloHandler {
  return async function limited(request, reply) {
    return withinTime(Promise.resolve(handler.call(this, request, reply)), timeoutMs, () => {
      void reply.status(503).type('application/json; charset=utf-8');
      return JSON.stringify({ errors: [formatError(timeoutError(timeoutMs))] });
    });
  };
}

const timeoutError = (timeoutMs: number): ServiceUnavailableError =>
  new ServiceUnavailableError(
    `The operation took longer than its ${timeoutMs / 1000} s: ask for less at once. What a mutation began may still take effect: look before you repeat it.`,
  );
