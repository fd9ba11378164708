/*
 * The page of the queues at /queues, for the ADMINs of one organization (QUEUE_PAGE_ORGANIZATION). bull-board shows it.
 *
 * 1. A browser signs in with a password or an access token, and gets a cookie with the access token. The cookie goes to
 *    this page alone, and ends with the token.
 * 2. Each request is admitted as one to /graphql is: the token is checked again, and the request is counted.
 * 3. The caller must be ADMIN of that organization. The queues hold entries of all organizations.
 * 4. /queues shows, and changes nothing. /queues/control changes, for an ADMIN who asked for it, and each change is on
 *    record.
 */
import { Queue } from 'bullmq';
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { authorize } from '../../auth/authorize.js';
import type { Identity, RequestOrigin, Viewer } from '../../auth/viewer.js';
import { ForbiddenError, RiskGraphError } from '../../errors.js';
import { entryKinds, isEntryId, queueNames } from '../../jobs/scoring-queue.js';
import { isOperator } from '../../monitoring/operators.js';
import { answerError, requireViewer } from '../bulk/bulk-answers.js';
import { recordDenials } from '../denials.js';
import type { ErrorFormatter } from '../error-format.js';
import type { HttpParts } from '../operation-context.js';
import { isFromOwnPage } from '../own-page.js';
import type { RequestSources } from '../request-source.js';
import { serveBoard } from './board.js';
import { controlPath, endQueueCookie, queuesPath, readQueueCookie, writeQueueCookie } from './queue-cookie.js';
import { signInPage, signInPolicy } from './sign-in-page.js';

/** Largest form of a sign-in, bytes. */
const largestForm = 16 * 1024;

/**
 * The policy of the board: scripts and data of our own host alone, none inline. It sets styles by attributes, and its
 * page names its own address in a base element.
 */
const boardPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src-elem 'self'",
  "style-src-attr 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

interface QueuePageDependencies {
  readonly app: Pick<HttpParts, 'config' | 'models' | 'audit' | 'identity' | 'connectRedis'>;
  /** Slug of the organization whose ADMINs may see the queues. */
  readonly organization: string;
  readonly sources: RequestSources;
  readonly formatError: ErrorFormatter;
  /** Identifies and counts the caller. */
  readonly admit: onRequestAsyncHookHandler;
  /** Refuses an address that asks too often. */
  readonly probeLimit: onRequestAsyncHookHandler;
}

/** Serves the page of the queues. It ends with the server. */
export async function registerQueuePage(server: FastifyInstance, dependencies: QueuePageDependencies): Promise<void> {
  const { app } = dependencies;
  const connection = app.connectRedis('failing-fast');
  const queues = entryKinds.map(
    (kind) => new Queue(queueNames[kind], { connection, prefix: app.config.redisPrefix, skipVersionCheck: true }),
  );
  for (const queue of queues) queue.on('error', () => undefined);
  server.addHook('onClose', async () => {
    await Promise.all(queues.map((queue) => queue.close().catch(() => undefined)));
    connection.disconnect();
  });
  await server.register(async (pages) => registerSignIn(pages, dependencies));
  for (const path of [queuesPath, controlPath]) {
    // The board's own addresses begin with a slash after this one.
    server.get(path, { onRequest: dependencies.probeLimit }, async (_request, reply) =>
      reply.redirect(`${path}/`, 303),
    );
    await server.register(async (pages) => {
      pages.addHook('onRequest', createGuard(dependencies, path === controlPath));
      pages.addHook('onSend', async (_request, reply, payload) => {
        reply.header('content-security-policy', boardPolicy).header('cache-control', 'no-store');
        return payload;
      });
      await serveBoard(pages, queues, { path, isReadOnly: path !== controlPath });
    });
  }
}

/** Admits a request to the board. */
function createGuard(
  { app, organization, admit, formatError }: QueuePageDependencies,
  isControl: boolean,
): onRequestAsyncHookHandler {
  return async function guard(request, reply) {
    const cookie = readQueueCookie(request.headers.cookie);
    request.headers.authorization ??= cookie && `Bearer ${cookie.token}`;
    await admit.call(this, request, reply);
    if (reply.sent) return;
    try {
      const viewer = requireViewer(request);
      authorize(viewer, 'queue:read');
      await requireOperator(app, organization, viewer);
      if (isControl && !cookie?.control) throw notAsked();
      if (request.method === 'GET' || request.method === 'HEAD') return;
      if (!isControl || request.method !== 'PUT') throw notAsked();
      if (!isFromOwnPage(request))
        throw new ForbiddenError('This change does not come from our own page.', 'queue:control');
      authorize(viewer, 'queue:control');
      const subject = { kind: 'QUEUE', id: changeOf(request) } as const;
      await app.audit.record(viewer, { action: 'queue:control', outcome: 'ALLOWED', subject });
    } catch (error) {
      if (!(error instanceof RiskGraphError)) throw error;
      const wantsPage = request.method === 'GET' && request.headers.accept?.includes('text/html');
      if (wantsPage && error.code === 'UNAUTHENTICATED') return reply.redirect(`${queuesPath}/sign-in`, 303);
      return answerError(error, { request, reply }, { audit: app.audit, formatError });
    }
  };
}

/** The parts of a path that may be on record, besides ids of entries. Any other part may hold anything. */
const pathWords: ReadonlySet<string> = new Set([
  ...Object.values(queueNames),
  ...['active', 'completed', 'delayed', 'failed', 'latest', 'paused', 'prioritized', 'waiting', 'waiting-children'],
]);

/** Names a change for the audit trail, as in `scoring-single/pause`. */
function changeOf({ routeOptions, params }: FastifyRequest): string {
  const values = params as Readonly<Record<string, string>>;
  const shown = (value = ''): string => (pathWords.has(value) || isEntryId(value) ? value : '?');
  return (routeOptions.url ?? '')
    .slice(`${controlPath}/api/queues/`.length)
    .replaceAll(/:(\w+)/g, (_all, name: string) => shown(values[name]));
}

const notAsked = (): ForbiddenError =>
  new ForbiddenError('The queues are shown, and not changed: sign in again and ask for changes.', 'queue:control');

/** @throws ForbiddenError when the caller is of another organization than the operators */
async function requireOperator({ models }: Pick<HttpParts, 'models'>, slug: string, identity: Identity): Promise<void> {
  if (await isOperator(models, slug, identity)) return;
  throw new ForbiddenError(
    'The queues hold jobs of all organizations: ask an operator of the deployment (QUEUE_PAGE_ORGANIZATION).',
    'queue:read',
  );
}

function registerSignIn(pages: FastifyInstance, dependencies: QueuePageDependencies): void {
  const { app, organization, sources, probeLimit } = dependencies;
  const answer = (reply: FastifyReply, status: number, refusal?: string): FastifyReply =>
    reply
      .status(status)
      .header('content-security-policy', signInPolicy)
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(signInPage(refusal));

  pages.removeAllContentTypeParsers();
  pages.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: largestForm },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  pages.get(`${queuesPath}/sign-in`, { onRequest: probeLimit }, async (_request, reply) => answer(reply, 200));
  pages.get(`${queuesPath}/sign-out`, { onRequest: probeLimit }, async (request, reply) =>
    reply.header('set-cookie', endQueueCookie(request.protocol === 'https')).redirect(`${queuesPath}/sign-in`, 303),
  );
  pages.post(`${queuesPath}/sign-in`, { onRequest: probeLimit }, async (request, reply) => {
    if (!isFromOwnPage(request)) return answer(reply, 403, 'This form was not sent by our own page.');
    const form = (request.body ?? {}) as Readonly<Record<string, string | undefined>>;
    const origin = { requestId: request.id, address: sources.addressOf(request.raw) };
    let viewer: Viewer | undefined;
    try {
      const { token, identity } = await prove(app, organization, form, origin);
      viewer = { ...identity, origin };
      authorize(viewer, 'queue:read');
      await requireOperator(app, organization, viewer);
      const control = form.control === 'yes';
      await app.audit.record(viewer, { action: control ? 'queue:control' : 'queue:read', outcome: 'ALLOWED' });
      return reply
        .header('set-cookie', writeQueueCookie({ token, control }, identity.expiresAt, request.protocol === 'https'))
        .redirect(`${control ? controlPath : queuesPath}/`, 303);
    } catch (error) {
      if (!(error instanceof RiskGraphError) || error.code === 'INTERNAL') throw error;
      await recordDenials(app.audit, viewer ?? null, [error]);
      return answer(reply, error.code === 'RATE_LIMITED' ? 429 : 403, error.message);
    }
  });
}

/** Checks the password, or the token. @throws RiskGraphError */
async function prove(
  { identity }: Pick<HttpParts, 'identity'>,
  organization: string,
  { username = '', password = '', token = '' }: Readonly<Record<string, string | undefined>>,
  origin: RequestOrigin,
): Promise<{ readonly token: string; readonly identity: Identity }> {
  if (token !== '') {
    const found = await identity.authenticator.authenticate(`Bearer ${token}`);
    return { token, identity: found! };
  }
  const issued = await identity.sessions.login({ organization, username, password }, origin, {
    // The browser gets no refresh token.
    lastsAsToken: true,
  });
  return { token: issued.accessToken, identity: issued.identity };
}
