import type {
  FastifyReply,
  FastifyRequest,
  onRequestAsyncHookHandler,
  preHandlerAsyncHookHandler,
  preParsingAsyncHookHandler,
} from 'fastify';
import { GraphQLError } from 'graphql';
import { RateLimitedError, ServiceUnavailableError } from '../errors.js';
import type { RequestOrigin, Viewer } from '../auth/viewer.js';
import type { AdmittedDocuments } from './admitted-documents.js';
import { isAboutArgument } from './coercion-error.js';
import type { Connections } from './connections.js';
import type { ErrorFormatter } from './error-format.js';
import { identifyCaller, type Caller, type ContextSources } from './operation-context.js';
import type { DocumentRequest } from './persisted-queries.js';
import type { RequestLimiter } from './rate-limits.js';
import { createRequestBodies, limitAnonymousBody } from './request-bodies.js';
import { hostError } from './request-errors.js';
import type { RequestSources } from './request-source.js';
import { wantsOnlyEvents } from './stream-format.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The caller. Null until the request is admitted. */
    caller: Caller | null;
  }
}

/** The hooks before every request to `/graphql`, in this order. */
interface RequestAdmission {
  /** Checks the host, the caller and the rate before the body is read. */
  readonly onRequest: onRequestAsyncHookHandler;
  /** Does the same for a request whose body is not held in memory, so that its length is not counted. */
  readonly onBulkRequest: onRequestAsyncHookHandler;
  /** Bounds the body of a caller without a valid credential while it arrives. */
  readonly preParsing: preParsingAsyncHookHandler;
  /** Admits the document before Apollo Server parses or runs it. */
  readonly preHandler: preHandlerAsyncHookHandler;
}

export function createRequestAdmission(
  { app }: ContextSources,
  documents: AdmittedDocuments,
  formatError: ErrorFormatter,
  {
    limiter,
    sources,
    connections,
  }: {
    readonly limiter: RequestLimiter | undefined;
    readonly sources: RequestSources;
    readonly connections: Connections;
  },
): RequestAdmission {
  const refuse = (reply: FastifyReply, status: number, errors: readonly Error[]): FastifyReply =>
    reply.status(status).send({ errors: errors.map((error) => formatError(error, reply.request.id)) });

  const bodies = createRequestBodies();

  /**
   * Identifies the caller and counts the request, for the user or for the address. A credential that must be looked up
   * is counted for the address before that, and moved to the user when it is valid. So guesses cost no more look-ups
   * than the limit allows.
   * @throws RateLimitedError
   */
  async function identifyCounted(authorization: unknown, origin: RequestOrigin): Promise<Caller> {
    let counted = false;
    const caller = await identifyCaller(app, authorization, origin, async () => {
      await limiter?.count({ viewer: null }, origin.address);
      counted = true;
    });
    if (counted) await limiter?.recount(caller, origin.address);
    else await limiter?.count(caller, origin.address);
    return caller;
  }

  const admit =
    (admitBody: (request: FastifyRequest, reply: FastifyReply, viewer: Viewer | null) => void) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
      const { headers, id, host } = request;
      const hostIssue = hostError(host);
      if (hostIssue) return refuse(reply, 400, [hostIssue]);
      const address = sources.addressOf(request.raw);
      try {
        const caller = await identifyCounted(headers.authorization, { requestId: id, address });
        if (caller.viewer) connections.prove(request.socket, caller.viewer);
        admitBody(request, reply, caller.viewer);
        request.caller = caller;
      } catch (error) {
        if (error instanceof ServiceUnavailableError) return refuse(reply, 503, [error]);
        if (!(error instanceof RateLimitedError)) throw error;
        return refuse(reply.header('retry-after', error.retryAfterSeconds), 429, [error]);
      }
    };

  return {
    onRequest: admit((request, reply, viewer) => bodies.admit(request, reply, viewer)),
    onBulkRequest: admit(() => undefined),
    preParsing: limitAnonymousBody,
    async preHandler(request, reply) {
      const wanted = documentRequestOf(request);
      const admitted = wanted && documents.admit(wanted);
      // A stream of events tells its refusals itself.
      const isTold = wantsOnlyEvents(request.headers.accept);
      if (!Array.isArray(admitted) || isTold) return;
      const errors = admitted as readonly Error[];
      // Apollo Server refuses wrong values too, and all-issues.ts then tells them together.
      const hasWrongValues = errors.some((error) => error instanceof GraphQLError && isAboutArgument(error));
      if (!hasWrongValues) return refuse(reply, 400, errors);
    },
  };
}

/**
 * Reads the same parts of a request as Apollo Server does.
 * @returns undefined for a request that Apollo Server would not run; Apollo Server gives the reason
 */
export function documentRequestOf({
  method,
  body,
  query,
}: Pick<FastifyRequest, 'method' | 'body' | 'query'>): DocumentRequest | undefined {
  const { query: text, extensions } = ((method === 'GET' ? query : body) ?? {}) as {
    query?: unknown;
    extensions?: unknown;
  };
  if (text !== undefined && text !== null && typeof text !== 'string') return undefined;
  const given = method === 'GET' && typeof extensions === 'string' ? parseJson(extensions) : extensions;
  return { query: text, extensions: isObject(given) ? given : undefined };
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
