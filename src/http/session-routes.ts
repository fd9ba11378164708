import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify';
import type { App } from '../app.js';
import { BadUserInputError, ForbiddenError, UnauthenticatedError } from '../errors.js';
import type { IssuedTokens } from '../identity/sessions/session-service.js';
import { answerError } from './bulk/bulk-answers.js';
import type { ErrorFormatter } from './error-format.js';
import { readCookie, writeCookie } from './own-cookie.js';
import { isFromOwnPage } from './own-page.js';

/** The address of the session, to which alone browsers send its cookie. */
const path = '/session';
const cookieName = 'riskgraph_session';
/** A header that no form of another site can send. */
const consoleHeader = 'x-riskgraph-console';

interface SessionRouteDependencies {
  readonly app: Pick<App, 'identity' | 'audit'>;
  readonly formatError: ErrorFormatter;
  /** Checks host, rate and size of a request, as for `/graphql`. */
  readonly admission: Pick<RouteShorthandOptions, 'onRequest' | 'preParsing'>;
}

/**
 * Serves the session of the console: `POST /session` logs in, `POST /session/refresh` renews, `DELETE /session` logs
 * out. They are the mutations `login`, `refresh` and `logout` but for the refresh token, which is in a cookie that no
 * script can read. A log-in ends the session that the browser had before. Each answer has the access token, which the page keeps in memory. Decision 23 says why.
 *
 * A refresh without a session is no error: it answers 204.
 */
export function registerSessionRoutes(
  server: FastifyInstance,
  { app, formatError, admission }: SessionRouteDependencies,
): void {
  const { sessions } = app.identity;
  const answering =
    (handle: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      try {
        if (request.headers[consoleHeader] !== '1' || !isFromOwnPage(request))
          throw new ForbiddenError(`The session is for our own page: it sends ${consoleHeader}: 1 and its origin.`);
        return await handle(request, reply);
      } catch (error) {
        return answerError(error, { request, reply }, { audit: app.audit, formatError });
      }
    };

  server.post(
    path,
    admission,
    answering(async (request, reply) => {
      const tokens = await sessions.login(readCredentials(request.body), request.caller!.origin);
      // The new cookie replaces the one before, which could then end its session no more.
      const earlier = readRefreshToken(request.headers.cookie);
      if (earlier !== undefined) await sessions.logout({ refreshToken: earlier }, request.caller!.origin);
      return answerTokens(tokens, request, reply);
    }),
  );
  server.post(
    `${path}/refresh`,
    admission,
    answering(async (request, reply) => {
      const refreshToken = readRefreshToken(request.headers.cookie);
      if (refreshToken === undefined) return reply.status(204).send();
      try {
        return answerTokens(await sessions.refresh({ refreshToken }, request.caller!.origin), request, reply);
      } catch (error) {
        if (!(error instanceof UnauthenticatedError)) throw error;
        return reply
          .status(204)
          .header('set-cookie', cookie('', 0, request))
          .send();
      }
    }),
  );
  server.delete(
    path,
    admission,
    answering(async (request, reply) => {
      const refreshToken = readRefreshToken(request.headers.cookie);
      const ended = refreshToken !== undefined && (await sessions.logout({ refreshToken }, request.caller!.origin));
      return reply.header('set-cookie', cookie('', 0, request)).send({ ended });
    }),
  );
}

function answerTokens(
  { accessToken, refreshToken, refreshExpiresAt, identity }: IssuedTokens,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const seconds = Math.max(0, Math.floor((refreshExpiresAt.getTime() - Date.now()) / 1_000));
  return reply
    .header('set-cookie', cookie(refreshToken, seconds, request))
    .send({ accessToken, expiresAt: new Date(identity.expiresAt), refreshExpiresAt });
}

/** @throws BadUserInputError with every field that is missing or is no text */
function readCredentials(body: unknown) {
  const given = (body ?? {}) as Readonly<Record<string, unknown>>;
  const names = ['organization', 'username', 'password'] as const;
  const issues = names.filter((name) => typeof given[name] !== 'string');
  if (issues.length > 0) throw new BadUserInputError(issues.map((name) => ({ path: name, message: 'must be a text' })));
  return Object.fromEntries(names.map((name) => [name, given[name]])) as Record<(typeof names)[number], string>;
}

/** @returns undefined without a cookie of that form */
function readRefreshToken(header: string | undefined): string | undefined {
  const value = readCookie(header, cookieName);
  return value !== undefined && /^[\w.~+=-]{1,200}$/.test(value) ? value : undefined;
}

const cookie = (value: string, seconds: number, { protocol }: FastifyRequest): string =>
  writeCookie({ name: cookieName, path, value, seconds, isSecure: protocol === 'https' });
