/**
 * Builds the pages of src/explorer into dist/explorer: GraphiQL with its plug-ins, and the script that watches the page
 * of Apollo Sandbox. All come from the packages of the lock file, so that they need no internet. Each file is stored
 * compressed, under a name with a hash of its content. Builds only when a source or the lock file has changed.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildOnce, filesOf } from './built-pages.mjs';

const self = fileURLToPath(import.meta.url);
const root = join(dirname(self), '..');
const sources = join(root, 'src/explorer');
const folder = join(root, 'dist/explorer');

await buildOnce({ root, folder, files: [...filesOf(sources), self] }, async () => {
  const { build } = await import('vite');
  await build({
    configFile: false,
    root: sources,
    base: '/graphiql/',
    logLevel: 'error',
    // The server replaces the nonce in each answer.
    html: { cspNonce: 'NONCE' },
    worker: { format: 'es' },
    build: {
      outDir: folder,
      emptyOutDir: true,
      manifest: 'manifest.json',
      // The licences of all that is inside.
      license: { fileName: 'LICENCES.md' },
      target: 'es2022',
      chunkSizeWarningLimit: 10_000,
      rolldownOptions: {
        input: { graphiql: join(sources, 'graphiql.html'), 'sandbox-watch': join(sources, 'sandbox-watch.ts') },
      },
    },
  });
});
