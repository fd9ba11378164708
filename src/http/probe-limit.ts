import type { onRequestAsyncHookHandler } from 'fastify';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { RateLimitedError, retrySeconds } from '../errors.js';
import type { ErrorFormatter } from './error-format.js';
import type { RequestSources } from './request-source.js';
import { addressBlock } from '../net/address-block.js';

/** The most requests of one address to health, metrics and the files of pages per minute, all together. */
const mostPerMinute = 3_000;

/**
 * Limits the requests to health, metrics and the files of pages, which ask for no token. Each process counts its own, so that a
 * probe never depends on Redis.
 */
export function createProbeLimit(sources: RequestSources, formatError: ErrorFormatter): onRequestAsyncHookHandler {
  const limiter = new RateLimiterMemory({ points: mostPerMinute, duration: 60 });
  return async (request, reply) => {
    try {
      await limiter.consume(addressBlock(sources.addressOf(request.raw)));
    } catch (rejection) {
      if (!(rejection instanceof RateLimiterRes)) throw rejection;
      const seconds = retrySeconds(rejection.msBeforeNext);
      const error = new RateLimitedError(
        `Too many requests to health, metrics and pages, at most ${mostPerMinute} per minute: try again in ${seconds} s.`,
        seconds,
      );
      return reply
        .status(429)
        .header('retry-after', seconds)
        .send({ errors: [formatError(error, request.id)] });
    }
  };
}
