/**
 * Builds the console of web/ into dist/console: one small page, and scripts and styles that it loads per place. All come
 * from the packages of the lock file, so that they need no internet. Each file is stored compressed, under a name with a
 * hash of its content. Builds only when a source or the lock file has changed.
 */
import { copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildOnce, filesOf } from './built-pages.mjs';

const self = fileURLToPath(import.meta.url);
const root = join(dirname(self), '..');
const sources = join(root, 'web');
const folder = join(root, 'dist/console');
const read = ['web', 'src/client', 'src/risk/plots'].flatMap((name) => filesOf(join(root, name)));

await buildOnce({ root, folder, files: [...read, self] }, async () => {
  const { build } = await import('vite');
  await build({
    configFile: false,
    root: sources,
    base: '/',
    logLevel: 'error',
    publicDir: false,
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: folder,
      emptyOutDir: true,
      // The policy of the page allows no content of `data:` addresses.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      license: { fileName: 'LICENCES.md' },
      target: 'es2022',
    },
  });
  copyFileSync(join(sources, 'generated/persisted.json'), join(folder, 'persisted.json'));
});
