import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify';
import { randomBytes } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { hostError } from './request-errors.js';
import { packageRoot } from '../process/package-root.js';

/** The media types of the files that the build makes. */
const mediaTypes: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.ttf': 'font/ttf',
};

/** The pages of src/explorer, as `npm run build` left them in dist/explorer. */
interface Explorer {
  /** The page of GraphiQL. `NONCE` stands for the nonce of an answer. */
  readonly page: string;
  /** Compressed files by their names, which contain a hash of the content. */
  readonly assets: ReadonlyMap<string, Buffer>;
  /** The name of the script that watches the page of Apollo Sandbox. */
  readonly sandboxWatch: string;
}

/**
 * Reads the pages into memory, about 2 MB.
 * @returns undefined when they were not built
 */
export async function readExplorer(folder = join(packageRoot(), 'dist/explorer')): Promise<Explorer | undefined> {
  try {
    const [page, manifest, names] = await Promise.all([
      readFile(join(folder, 'graphiql.html'), 'utf8'),
      readFile(join(folder, 'manifest.json'), 'utf8'),
      readdir(join(folder, 'assets')),
    ]);
    const files = names.map(
      async (name) => [name.replace(/\.gz$/, ''), await readFile(join(folder, 'assets', name))] as const,
    );
    const { 'sandbox-watch.ts': watch } = JSON.parse(manifest) as Record<string, { file: string }>;
    return { page, assets: new Map(await Promise.all(files)), sandboxWatch: `/graphiql/${watch!.file}` };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Serves GraphiQL under `/graphiql`, from files of this package alone. Each file has a route of its own, so no path
 * reaches another file.
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
  for (const [name, content] of assets)
    server.get(`/graphiql/assets/${name}`, { onRequest }, async (_request, reply) =>
      reply
        .header('content-encoding', 'gzip')
        .header('cache-control', 'public, max-age=31536000, immutable')
        .type(mediaTypes[extname(name)] ?? 'application/octet-stream')
        .send(content),
    );
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
