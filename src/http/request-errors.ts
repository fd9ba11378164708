import type { FastifyInstance, FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify';
import { maxHeaderSize, STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { GraphQLFormattedError } from 'graphql';
import type { Logger } from 'pino';
import { BadUserInputError, RiskGraphError } from '../errors.js';
import type { ErrorFormatter } from './error-format.js';

/** Largest request body. A batch names at most 100,000 patients, 27 bytes each. */
export const largestRequestBytes = 4 * 1024 * 1024;
/**
 * The most objects and lists of a body. Each takes about 64 bytes of memory, and may have 3 bytes of text: 4 MiB of them
 * would take 100 MB. A thousand patients with 100 values each have 102,000.
 */
export const mostBodyParts = 200_000;
/** Largest body of a caller without a valid credential, bytes. What needs no credential, such as a login, is smaller. */
export const largestAnonymousBytes = 64 * 1024;
/** The length that a request announces for its body, bytes. A body in chunks may become as large as any. */
export const announcedBytes = ({ headers }: Pick<IncomingMessage, 'headers'>): number =>
  headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : largestRequestBytes;

/** Time within which a whole request must arrive, milliseconds. It suffices for 4 MiB over a slow line. */
export const requestTimeoutMs = 60_000;
/** Time within which the headers of a request must arrive, milliseconds. It also ends a connection that sends nothing. */
export const headersTimeoutMs = 15_000;

/** The answer to a request that cannot be read. */
interface ClientError {
  readonly status: number;
  readonly error: RiskGraphError;
}

const inputError = (path: string, message: string): RiskGraphError => new BadUserInputError([{ path, message }]);

/** Errors by the codes of Fastify. https://fastify.dev/docs/latest/Reference/Errors/ */
const byCode: Readonly<Record<string, RiskGraphError>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: inputError(
    'content-type',
    'is not supported: send JSON with "content-type: application/json"',
  ),
  FST_ERR_CTP_BODY_TOO_LARGE: inputError('body', `is larger than ${largestRequestBytes} bytes: split the request`),
  ANONYMOUS_BODY_TOO_LARGE: inputError(
    'body',
    `is larger than ${largestAnonymousBytes} bytes, the most of a request without a valid token: send one`,
  ),
  BODY_OF_TOO_MANY_PARTS: inputError('body', `has more than ${mostBodyParts} objects and lists: split the request`),
  STREAM_BODY_TOO_LARGE: inputError(
    'body',
    `is larger than ${largestAnonymousBytes} bytes, the most of a request for a stream of events: pass less in its variables`,
  ),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: inputError(
    'content-length',
    'is not the length of the body: leave it to your HTTP library',
  ),
  FST_ERR_CTP_EMPTY_JSON_BODY: inputError('body', 'is empty: send a JSON object with a query'),
  FST_ERR_CTP_INVALID_JSON_BODY: inputError(
    'body',
    'is not valid JSON, or has a key that no request needs (__proto__, constructor): send one JSON object in UTF-8, ' +
      'not compressed',
  ),
  FST_ERR_BAD_URL: inputError('url', 'is not encoded as a URL: encode % as %25'),
};

/** Errors as Fastify makes them, for bodies that are too large for what they are. */
const bodyError = (code: string) => (): Error =>
  Object.assign(new Error('the body is too large'), { code, statusCode: 413 });
export const anonymousBodyTooLarge = bodyError('ANONYMOUS_BODY_TOO_LARGE');
export const streamBodyTooLarge = bodyError('STREAM_BODY_TOO_LARGE');
export const bodyOfTooManyParts = bodyError('BODY_OF_TOO_MANY_PARTS');

/**
 * Describes why Fastify refuses a request. Never quotes the request.
 * @returns undefined when the caller's request is not the cause
 */
export function requestError({
  code,
  statusCode,
}: {
  readonly code?: string;
  readonly statusCode?: number;
}): RiskGraphError | undefined {
  if (statusCode === undefined || statusCode >= 500) return undefined;
  return byCode[code ?? ''] ?? inputError('request', 'could not be read: check its headers and its body');
}

/** Describes why bytes are not a whole request. https://nodejs.org/api/http.html#event-clienterror */
export function clientError({ code }: { readonly code?: string }): ClientError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return {
      status: 408,
      error: inputError(
        'request',
        `did not arrive completely within ${requestTimeoutMs / 1000} seconds, its headers within ` +
          `${headersTimeoutMs / 1000}: send it again, in smaller parts over a slow line`,
      ),
    };
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return {
      status: 431,
      error: inputError(
        'headers',
        `are larger than ${maxHeaderSize} bytes together with the address: send fewer, and send a long query with ` +
          'POST /graphql',
      ),
    };
  }
  return {
    status: 400,
    error: inputError(
      'request',
      'is not HTTP/1.1 that this server understands: check its first line, its headers and the length of its body',
    ),
  };
}

/** Answers in place of Fastify when there is no request yet, only a socket. */
export function createClientErrorHandler(
  formatError: ErrorFormatter,
): (error: Error & { code?: string }, socket: Socket) => void {
  return (error, socket) => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    const { status, error: said } = clientError(error);
    writeRefusal(socket, { status, errors: [formatError(said)] });
  };
}

/** An answer in place of Fastify's. */
interface RefusalAnswer {
  readonly status: number;
  readonly errors: readonly GraphQLFormattedError[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers on a bare connection, and destroys it: its client may never end its own side. */
export function writeRefusal(stream: Duplex, { status, errors, headers }: RefusalAnswer): void {
  const body = JSON.stringify({ errors });
  const lines = Object.entries({
    Connection: 'close',
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  if (stream.writable) stream.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
  stream.destroy();
}

/** Says that there is nothing at an address. */
export const nothingHere = (): RiskGraphError =>
  new RiskGraphError('NOT_FOUND', 'There is nothing at this address: GraphQL is at /graphql.');

/** @returns undefined when the text can be the name of a host */
export const hostError = (host: string): RiskGraphError | undefined =>
  /^[\w.:[\]-]+$/.test(host) ? undefined : inputError('Host', 'is not a host name');

const methods = ['GET', 'POST', 'DELETE'] as const;

/**
 * Ends the connection with the answer to a request whose body has not arrived: its client may never send the rest. Else
 * Node.js would read and drop the body until its time limit.
 */
export const endUnread: onSendHookHandler = ({ raw }, reply, payload, done) => {
  if (announcedBytes(raw) !== 0 && !raw.complete) reply.header('connection', 'close');
  done(null, payload);
};

/** Says what the preflight of a page needs. https://fetch.spec.whatwg.org/#http-cors-protocol */
const noOriginAllowed = inputError(
  'origin',
  'is not allowed: no page of another origin may call this API. Set CORS_ORIGINS to the origins of your pages, e.g. ' +
    'https://app.example.org, and start the API again',
);

/**
 * Answers 404 for an address that does not exist, and 405 for a method that an address does not have. A preflight
 * arrives here when CORS_ORIGINS is not set: the answer and the log say so, the log once.
 * @param answerPage answers a browser that asks for a page. Returns undefined for all else
 */
export function createNotFoundHandler(
  server: FastifyInstance,
  formatError: ErrorFormatter,
  logger: Pick<Logger, 'warn'>,
  answerPage: (request: FastifyRequest, reply: FastifyReply, status: number) => FastifyReply | undefined,
): (request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  let told = false;
  return (request, reply) => {
    const [url] = request.url.split('?') as [string];
    const allowed = methods.filter((method) => server.hasRoute({ method, url }));
    if (allowed.length === 0)
      return (
        answerPage(request, reply, 404) ?? reply.status(404).send({ errors: [formatError(nothingHere(), request.id)] })
      );
    const isPreflight = request.method === 'OPTIONS' && 'access-control-request-method' in request.headers;
    if (isPreflight && !told) {
      told = true;
      logger.warn('a page of another origin was refused, because CORS_ORIGINS is not set');
    }
    const error = isPreflight
      ? noOriginAllowed
      : inputError('method', `is not supported at this address: use ${allowed.join(' or ')}`);
    return reply
      .status(405)
      .header('allow', allowed.join(', '))
      .send({ errors: [formatError(error, request.id)] });
  };
}
