import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify';
import { readFile, readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';

/** The media types of the files that the builds of pages make. */
const mediaTypes: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
};

/** Compressed files by their names, which contain a hash of the content. */
export type BuiltAssets = ReadonlyMap<string, Buffer>;

/** Reads the compressed files of a build into memory. */
export async function readAssets(folder: string): Promise<BuiltAssets> {
  const names = await readdir(folder);
  return new Map(
    await Promise.all(
      names.map(async (name) => [name.replace(/\.gz$/, ''), await readFile(join(folder, name))] as const),
    ),
  );
}

/**
 * Reads a build.
 * @returns undefined when there is none
 */
export async function orNotBuilt<T>(built: Promise<T>): Promise<T | undefined> {
  try {
    return await built;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Serves files of a build. Each file has a route of its own, so no path reaches another file.
 * @param path the address of their folder
 * @param onRequest refuses an address that asks too often
 */
export function serveAssets(
  server: FastifyInstance,
  { path, assets }: { readonly path: string; readonly assets: BuiltAssets },
  onRequest: onRequestAsyncHookHandler,
): void {
  for (const [name, content] of assets)
    server.get(`${path}/${name}`, { onRequest }, async (_request, reply) =>
      reply
        .header('content-encoding', 'gzip')
        .header('cache-control', 'public, max-age=31536000, immutable')
        .type(mediaTypes[extname(name)] ?? 'application/octet-stream')
        .send(content),
    );
}
