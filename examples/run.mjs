// Bundles a page, opens it without a browser, and prints what it shows: node examples/run.mjs PAGE URL TOKEN MRN
import { buildSync } from 'esbuild';
import { Window } from 'happy-dom';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [page, url, token, mrn] = process.argv.slice(2);
const folder = fileURLToPath(new URL(page, import.meta.url));
const directory = await mkdtemp(join(tmpdir(), 'riskgraph-page-'));
try {
  const file = join(directory, 'page.mjs');
  buildSync({
    entryPoints: [['page.ts', 'page.tsx'].map((name) => join(folder, name)).find(existsSync)],
    outfile: file,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
  });

  // The page gets a document. Its requests and sockets are those of Node.js.
  const window = new Window({ url: `http://page.example/?${new URLSearchParams({ url, token, mrn })}` });
  window.document.body.innerHTML = '<div id="root"></div>';
  Object.assign(globalThis, { window, document: window.document, location: window.location });
  const root = window.document.getElementById('root');
  const shown = new Promise((resolve) => {
    let last = '';
    new window.MutationObserver(() => {
      const text = root.lastElementChild?.textContent ?? '';
      if (text !== last) console.log((last = text));
      if (text.startsWith('risk')) resolve();
    }).observe(root, { childList: true, subtree: true, characterData: true });
  });
  await import(pathToFileURL(file).href);
  await shown;
} finally {
  await rm(directory, { recursive: true, force: true });
}
// A page stays open.
process.exit();
