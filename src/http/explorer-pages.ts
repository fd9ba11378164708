import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { orNotBuilt, readAssets, serveAssets, type BuiltAssets } from './built-assets.js';
import { hostError } from './request-errors.js';
import { packageRoot } from '../process/package-root.js';

/** The pages of src/explorer, as `npm run build` left them in dist/explorer. */
interface Explorer {
  /** The page of GraphiQL. `NONCE` stands for the nonce of an answer. */
  readonly page: string;
  readonly assets: BuiltAssets;
  /** The name of the script that watches the page of Apollo Sandbox. */
  readonly sandboxWatch: string;
}

/**
 * Reads the pages into memory, about 2 MB.
 * @returns undefined when they were not built
 */
export async function readExplorer(folder = join(packageRoot(), 'dist/explorer')): Promise<Explorer | undefined> {
  const built = await orNotBuilt(
    Promise.all([
      readFile(join(folder, 'graphiql.html'), 'utf8'),
      readFile(join(folder, 'manifest.json'), 'utf8'),
      readAssets(join(folder, 'assets')),
    ]),
  );
  if (!built) return undefined;
  const [page, manifest, assets] = built;
  const { 'sandbox-watch.ts': watch } = JSON.parse(manifest) as Record<string, { file: string }>;
  return { page, assets, sandboxWatch: `/graphiql/${watch!.file}` };
}

/**
 * Serves GraphiQL under `/graphiql`, from files of this package alone.
 * @param onRequest refuses an address that asks too often
 */
export function registerExplorer(
  server: FastifyInstance,
  { page, assets }: Explorer,
  onRequest: onRequestAsyncHookHandler,
): void {
  server.get('/graphiql', { onRequest }, async (request, reply) => {
    if (hostError(request.host))
      return reply.status(400).type('text/plain').send('The header Host is not a host name.');
    const nonce = randomBytes(24).toString('base64url');
    return reply
      .header('content-security-policy', policyOf(nonce, request.host))
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(page.replaceAll('NONCE', nonce));
  });
  serveAssets(server, { path: '/graphiql/assets', assets }, onRequest);
}

/**
 * The policy of the GraphiQL page: scripts from own files alone, none inline. The editor places its lines by `style`
 * attributes, so these are allowed. Its `style` elements need the nonce. Its fonts are inside of its style sheet.
 */
const policyOf = (nonce: string, host: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "worker-src 'self'",
    `style-src-elem 'self' 'nonce-${nonce}'`,
    "style-src-attr 'unsafe-inline'",
    "font-src 'self' data:",
    "img-src 'self' data:",
    // In some browsers 'self' does not include WebSockets.
    `connect-src 'self' ws://${host} wss://${host}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
