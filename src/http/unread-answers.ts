import type { ApolloHandler } from './operation-timeout.js';
import { callerName, type Operation, type Operations } from './operations.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The operation of this request. Undefined until it is known. */
    operation: Operation | undefined;
  }
}

/** Shorter answers are not counted: the operating system takes them at once. */
const smallAnswer = 16 * 1024;

/** Ends the operation of each request with its answer, and counts a large answer until its client has read it. */
export function countUnread(handler: ApolloHandler, { bytes }: Operations): ApolloHandler {
  return async function counted(request, reply) {
    try {
      const body = await handler.call(this, request, reply);
      const { raw } = reply;
      if (typeof body === 'string' && body.length > smallAnswer && !reply.sent && !raw.destroyed) {
        const { user } = callerName(request.caller!);
        const read = bytes.wait(user, Buffer.byteLength(body), () => raw.destroy());
        raw.once('close', read);
      }
      return body;
    } finally {
      request.operation?.end();
    }
  };
}
