import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OidcSignIn } from '../config/oidc-settings.js';
import { packageRoot } from '../process/package-root.js';
import { orNotBuilt, readAssets, serveAssets, type BuiltAssets } from './built-assets.js';
import { hostError } from './request-errors.js';

/**
 * The addresses of the console. A reload comes back to each of them; the page then shows the place that its address
 * names. web/routes.ts has the places themselves.
 */
export const consoleAddresses = [
  '/',
  '/sign-in',
  '/patients/:id',
  ...['cohorts', 'jobs', 'models', 'administration'].flatMap((place) => [`/${place}`, `/${place}/:id`]),
];

/** The console of web/, as `npm run build` left it in dist/console. */
interface Console {
  readonly page: string;
  readonly assets: BuiltAssets;
  /** Path of the list of its documents, which an allow-list takes up. */
  readonly documents: string;
}

/** The facts that the page needs before anyone has signed in. */
interface ConsoleFacts {
  readonly version: string;
  /** True when GraphiQL is at `/graphiql`. */
  readonly explorer: boolean;
  /** The sign-in with the identity provider. Absent: passwords alone. */
  readonly oidc: OidcSignIn | undefined;
}

interface ConsoleOptions {
  readonly facts: ConsoleFacts;
  readonly answer: PageAnswer;
  /** The address at which the identity provider ends its own session. */
  readonly endSession: () => string | undefined;
  /** Refuses an address that asks too often. */
  readonly onRequest: onRequestAsyncHookHandler;
}

/**
 * Reads the console into memory, about 200 kB.
 * @returns undefined when it was not built
 */
export async function readConsole(folder = join(packageRoot(), 'dist/console')): Promise<Console | undefined> {
  const built = await orNotBuilt(
    Promise.all([readFile(join(folder, 'index.html'), 'utf8'), readAssets(join(folder, 'assets'))]),
  );
  return built && { page: built[0], assets: built[1], documents: join(folder, 'persisted.json') };
}

/** Answers with the page of the console. Its status is that of the reply. */
type PageAnswer = (request: Pick<FastifyRequest, 'host'>, reply: FastifyReply) => FastifyReply;

/** The answer with the page, which has its policy with it. */
export const createPageAnswer =
  ({ page }: Console, oidc: OidcSignIn | undefined): PageAnswer =>
  ({ host }, reply) =>
    hostError(host)
      ? reply.status(400).type('text/plain').send('The header Host is not a host name.')
      : reply
          .header('content-security-policy', policyOf(host, oidc))
          .header('cross-origin-opener-policy', 'same-origin')
          .header('cache-control', 'no-store')
          .type('text/html; charset=utf-8')
          .send(page);

/** Tells whether a browser asks for a page, because a person typed an address or followed a link. Programs do not. */
export const asksForPage = ({ method, headers }: Pick<FastifyRequest, 'method' | 'headers'>): boolean =>
  method === 'GET' && /\btext\/html\b/.test(headers.accept ?? '');

/**
 * Serves the console at `/` and at the addresses of its places, from files of this package alone.
 */
export function registerConsole(
  server: FastifyInstance,
  { assets }: Console,
  { facts, answer, endSession, onRequest }: ConsoleOptions,
): void {
  for (const address of consoleAddresses)
    server.get(address, { onRequest }, async (request, reply) => answer(request, reply));
  server.get('/console.json', { onRequest }, async () => ({
    ...facts,
    ...(facts.oidc && { oidc: { ...facts.oidc, endSessionEndpoint: endSession() } }),
  }));
  serveAssets(server, { path: '/assets', assets }, onRequest);
}

/**
 * The policy of the console: scripts, styles and pictures from own files alone, and none inline. It connects to this host,
 * and to that which gives the tokens of the identity provider.
 */
const policyOf = (host: string, oidc: OidcSignIn | undefined): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    // Plots become PNG files by way of a `blob:`.
    "img-src 'self' blob:",
    // In some browsers 'self' does not include WebSockets.
    `connect-src 'self' ws://${host} wss://${host}${oidc ? ` ${new URL(oidc.tokenEndpoint).origin}` : ''}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
