import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler, preHandlerAsyncHookHandler } from 'fastify';
import { BadUserInputError, ForbiddenError, RateLimitedError, ServiceUnavailableError } from '../errors.js';
import type { AdmittedDocuments } from './admitted-documents.js';
import type { ErrorFormatter } from './error-format.js';
import { identifyCaller, type Caller, type ContextSources } from './operation-context.js';
import type { DocumentRequest } from './persisted-queries.js';
import type { RequestLimiter } from './rate-limits.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The caller. Null until the request is admitted. */
    caller: Caller | null;
  }
}

/** The hooks before every request to `/graphql`, in this order. */
interface RequestAdmission {
  /** Checks the origin, the caller and the rate before the body is read, and before a WebSocket is opened. */
  readonly onRequest: onRequestAsyncHookHandler;
  /** Admits the document before Apollo Server parses or runs it. */
  readonly preHandler: preHandlerAsyncHookHandler;
}

export function createRequestAdmission(
  { app }: ContextSources,
  documents: AdmittedDocuments,
  formatError: ErrorFormatter,
  options: { readonly limiter: RequestLimiter | undefined; readonly mostSockets: number },
): RequestAdmission {
  const refuse = (reply: FastifyReply, status: number, errors: readonly Error[]): FastifyReply =>
    reply.status(status).send({ errors: errors.map(formatError) });

  return {
    async onRequest(request, reply) {
      const { headers, id, ip, host } = request;
      // The connection ends with the answer to a refused upgrade.
      if (request.ws) reply.header('connection', 'close');
      if (!/^[\w.:[\]-]+$/.test(host))
        return refuse(reply, 400, [new BadUserInputError([{ path: 'Host', message: 'is not a host name' }])]);
      if (request.ws) {
        if (!isAllowedOrigin({ origin: headers.origin, host }, app.config.corsOrigins)) {
          return refuse(reply, 403, [
            new ForbiddenError('A page of this origin may not open a WebSocket here: add the origin to CORS_ORIGINS.'),
          ]);
        }
        if (request.server.websocketServer.clients.size >= options.mostSockets) {
          return refuse(reply, 503, [
            new ServiceUnavailableError(
              'This server has reached its limit of open WebSockets: connect again in a moment, to another server if ' +
                'there is one.',
            ),
          ]);
        }
      }
      const caller = await identifyCaller(app, headers.authorization, { requestId: id, address: ip });
      try {
        await options.limiter?.count(caller, ip);
      } catch (error) {
        if (!(error instanceof RateLimitedError)) throw error;
        return refuse(reply.header('retry-after', error.retryAfterSeconds), 429, [error]);
      }
      request.caller = caller;
    },
    async preHandler(request, reply) {
      const wanted = documentRequestOf(request);
      const admitted = wanted && documents.admit(wanted);
      if (Array.isArray(admitted)) return refuse(reply, 400, admitted as readonly Error[]);
    },
  };
}

/**
 * Reads the same parts of a request as Apollo Server does.
 * @returns undefined for a request that Apollo Server would not run; Apollo Server gives the reason
 */
function documentRequestOf({ method, body, query, ws }: FastifyRequest): DocumentRequest | undefined {
  if (ws) return undefined;
  const { query: text, extensions } = ((method === 'GET' ? query : body) ?? {}) as {
    query?: unknown;
    extensions?: unknown;
  };
  if (text !== undefined && text !== null && typeof text !== 'string') return undefined;
  const given = method === 'GET' && typeof extensions === 'string' ? parseJson(extensions) : extensions;
  return { query: text, extensions: isObject(given) ? given : undefined };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The parts of a request that say where it comes from. */
interface RequestSource {
  /** The header Origin: browsers send it, other clients may leave it out. */
  readonly origin: string | undefined;
  /** Host and port that the client asked for. */
  readonly host: string;
}

/**
 * Tells whether a WebSocket may be opened. Browsers let every page open one to every server, and only name the page's
 * origin (RFC 6455, 10.2). The origin must be this host, or be on the allow-list. Clients that are not browsers send no
 * origin.
 * @param allowed origins such as `https://app.example.org`; `*` allows all
 */
export function isAllowedOrigin({ origin, host }: RequestSource, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return true;
  if (!URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  // URL writes both hosts in the same way, without the port that the scheme implies.
  const own = `${protocol}//${host}`;
  return originHost !== '' && URL.canParse(own) && new URL(own).host === originHost;
}
