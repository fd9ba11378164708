import { Readable } from 'node:stream';
import type { ApolloHandler } from './operation-timeout.js';
import { callerName, type Operation, type Operations } from './operations.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The operation of this request. Undefined until it is known. */
    operation: Operation | undefined;
  }
}

/**
 * Ends the operation of each request with its answer, and counts the answer until its client has read it. A long answer
 * is sent in its chunks.
 */
export function countUnread(
  handler: ApolloHandler,
  { bytes }: Operations,
  chunksOf: (operation: Operation) => readonly Buffer[] | undefined,
): ApolloHandler {
  return async function counted(request, reply) {
    try {
      const body = await handler.call(this, request, reply);
      const { raw } = reply;
      // A page, or a request whose connection has ended.
      if (typeof body !== 'string' || reply.sent || raw.destroyed) return body;
      const chunks = request.operation && chunksOf(request.operation);
      const length = chunks ? chunks.reduce((sum, chunk) => sum + chunk.length, 0) : Buffer.byteLength(body);
      // Small answers count too: a client that pipelines its requests can leave many of them unread.
      const read = bytes.wait(callerName(request.caller!).user, length, () => raw.destroy());
      raw.once('close', read);
      if (!chunks) return body;
      void reply.header('content-length', length);
      return Readable.from(chunks, { objectMode: false });
    } finally {
      request.operation?.end();
    }
  };
}
