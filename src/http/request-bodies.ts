import type { FastifyReply, FastifyRequest, preParsingAsyncHookHandler } from 'fastify';
import { Transform } from 'node:stream';
import { qualifiedUsername, type Viewer } from '../auth/viewer.js';
import { RateLimitedError } from '../errors.js';
import { createCounts } from './counts.js';
import { announcedBytes, anonymousBodyTooLarge, largestAnonymousBytes, largestRequestBytes } from './request-errors.js';

/** The most of larger bodies at the same time, bytes, until they are answered. */
const mostUnanswered = { perUser: 4 * largestRequestBytes, perNode: 24 * largestRequestBytes } as const;
/** Time after which a refused client may try again, seconds. */
const retryAfterSeconds = 2;

/** Bounds the memory that bodies take while they arrive and are worked on. */
interface RequestBodies {
  /**
   * Admits the announced length of a body, and counts a large one until its answer has ended.
   * @throws RateLimitedError when this user, or all users together, have too much under way; an error of status 413
   *   when the body is too large for a caller without a valid credential
   */
  admit(request: FastifyRequest, reply: FastifyReply, viewer: Viewer | null): void;
}

export function createRequestBodies(): RequestBodies {
  const ofUser = createCounts();
  let ofNode = 0;
  return {
    admit(request, reply, viewer) {
      const bytes = announcedBytes(request);
      if (bytes <= largestAnonymousBytes) return;
      if (!viewer) {
        // The length of a body in chunks shows as it arrives: see limitAnonymousBody.
        if (request.headers['transfer-encoding'] === undefined) throw anonymousBodyTooLarge();
        return;
      }
      const user = qualifiedUsername(viewer);
      if (ofUser.of(user) + bytes > mostUnanswered.perUser || ofNode + bytes > mostUnanswered.perNode) {
        throw new RateLimitedError(
          `Too many large requests at the same time: send the next one after an answer, or in ${retryAfterSeconds} s.`,
          retryAfterSeconds,
        );
      }
      ofUser.add(user, bytes);
      ofNode += bytes;
      reply.raw.once('close', () => {
        ofNode -= bytes;
        ofUser.add(user, -bytes);
      });
    },
  };
}

/** Ends the body of a caller without a valid credential when it becomes too large. */
export const limitAnonymousBody: preParsingAsyncHookHandler = async ({ caller }, _reply, payload) => {
  if (caller?.viewer) return payload;
  let bytes = 0;
  return payload.pipe(
    new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        done(bytes > largestAnonymousBytes ? anonymousBodyTooLarge() : null, chunk);
      },
    }),
  );
};
