import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler, preHandlerAsyncHookHandler } from 'fastify';
import { BadUserInputError, ForbiddenError, RateLimitedError, ServiceUnavailableError } from '../errors.js';
import type { AdmittedDocuments } from './admitted-documents.js';
import type { ErrorFormatter } from './error-format.js';
import { identifyCaller, type Caller, type ContextSources } from './operation-context.js';
import type { DocumentRequest } from './persisted-queries.js';
import type { RequestLimiter } from './rate-limits.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is calling; known from the admission of a request on. */
    caller: Caller | null;
  }
}

/** What stands before every request to `/graphql`, in this order. */
interface RequestAdmission {
  /** Before the body is read: where it comes from, who calls, and how often. Also before a WebSocket is opened. */
  readonly onRequest: onRequestAsyncHookHandler;
  /** Before anything is parsed or run: what is asked for. */
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
      // Whatever is answered to an upgrade that is refused, the connection ends with it.
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
              'This server has as many WebSockets open as it serves: connect again, to another one, in a moment.',
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

/** What Apollo Server will read of the request. Undefined when it is none that Apollo would run: Apollo says why. */
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

/** What of a request says where it comes from. */
interface RequestSource {
  /** The header Origin: browsers send it, other clients need not. */
  readonly origin: string | undefined;
  /** Host and port that the client asked for. */
  readonly host: string;
}

/**
 * Whether a WebSocket may be opened: browsers let every page open one to every server, and only say whose page it was
 * (RFC 6455, 10.2). It must be one of this host, or of the allow-list. Clients that are no browsers send no origin.
 * @param allowed origins such as `https://app.example.org`; `*` allows all
 */
export function isAllowedOrigin({ origin, host }: RequestSource, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return true;
  if (!URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  // The same way of writing both: without the port that the scheme implies.
  const own = `${protocol}//${host}`;
  return originHost !== '' && URL.canParse(own) && new URL(own).host === originHost;
}
