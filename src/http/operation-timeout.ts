import type { Readable } from 'node:stream';
import type {
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
  RouteHandlerMethod,
} from 'fastify';
import { ServiceUnavailableError } from '../errors.js';
import { withinTime } from '../process/within-time.js';
import type { ErrorFormatter } from './error-format.js';

/** The type that `fastifyApolloHandler` returns, with a stream for the chunks of a long answer. */
export type ApolloHandler = RouteHandlerMethod<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  { Reply: string | Readable }
>;

/**
 * Answers in place of a handler that takes longer than an operation may, and breaks the operation off: it resolves no
 * further fields. So does the end of a connection whose client does not wait for the answer. A read or change that is
 * under way is not stopped, because that could leave half of a change behind. It ends on its own: each read of MongoDB,
 * Redis and the identity provider has a time limit.
 *
 * Fastify's own `handlerTimeout` does not work for requests with a body: https://github.com/fastify/fastify/pull/6725
 */
export function limitOperationTime(
  handler: ApolloHandler,
  timeoutMs: number,
  formatError: ErrorFormatter,
): ApolloHandler {
  return async function limited(request, reply) {
    reply.raw.once('close', () => request.operation?.breakOff(clientLeft));
    return withinTime(Promise.resolve(handler.call(this, request, reply)), timeoutMs, () => {
      const error = timeoutError(timeoutMs);
      request.operation?.breakOff(error);
      void reply.status(503).type('application/json; charset=utf-8');
      return JSON.stringify({ errors: [formatError(error, request.id)] });
    });
  };
}

/** Only the log could show it: the client is gone. */
const clientLeft = new ServiceUnavailableError('The client has closed the connection before the answer.');

export const timeoutError = (timeoutMs: number): ServiceUnavailableError =>
  new ServiceUnavailableError(
    `The operation took longer than ${timeoutMs / 1000} s, which is the limit: ask for less at once. A mutation may ` +
      'still take effect: check before you repeat it.',
  );
