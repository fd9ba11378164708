/**
 * Builds the pages of src/explorer into dist/explorer: GraphiQL with its plug-ins, and the script that watches the page
 * of Apollo Sandbox. All come from the packages of the lock file, so that they need no internet. Each file is stored
 * compressed, under a name with a hash of its content. Builds only when a source or the lock file has changed.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const sources = join(root, 'src/explorer');
const built = join(root, 'dist/explorer');
const stamp = join(built, '.built');

const filesOf = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();

function checksum() {
  const hash = createHash('sha256');
  for (const file of [...filesOf(sources), join(root, 'package-lock.json'), fileURLToPath(import.meta.url)])
    hash.update(file.slice(root.length)).update(readFileSync(file));
  return hash.digest('hex');
}

function readStamp() {
  try {
    return readFileSync(stamp, 'utf8');
  } catch {
    return undefined;
  }
}

const wanted = checksum();
if (readStamp() !== wanted) {
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
      outDir: built,
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
  for (const file of filesOf(join(built, 'assets'))) {
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
    unlinkSync(file);
  }
  writeFileSync(stamp, wanted);
}
