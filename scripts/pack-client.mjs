/**
 * Writes a package with the client alone, without the server and its dependencies: node scripts/pack-client.mjs [FOLDER].
 * It has the name of this package, so that programs import `riskgraph/client` from either. Run `npm run build` before.
 */
import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [destination = '.'] = process.argv.slice(2);
const { name, version, license, type, exports, sideEffects, peerDependencies, peerDependenciesMeta, dependencies } =
  JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
const typesOnly = '@graphql-typed-document-node/core';

const directory = await mkdtemp(join(tmpdir(), 'riskgraph-client-'));
try {
  const description = 'Client of RiskGraph for browsers and Node.js';
  const manifest = {
    ...{ name, version, description, license, type, exports, sideEffects, peerDependencies, peerDependenciesMeta },
    dependencies: { [typesOnly]: dependencies[typesOnly] },
  };
  await writeFile(join(directory, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const part of ['dist/src/client', 'schema/schema.graphql', 'LICENSE'])
    await cp(join(root, part), join(directory, part), { recursive: true, filter: (file) => !file.endsWith('.map') });
  await cp(join(root, 'docs/client.md'), join(directory, 'README.md'));
  const packed = execFileSync(
    'npm',
    ['pack', '--ignore-scripts', '--silent', '--pack-destination', resolve(destination)],
    {
      cwd: directory,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  ).trim();
  const file = join(destination, `riskgraph-client-${version}.tgz`);
  await rename(join(resolve(destination), packed), file);
  console.log(file);
} finally {
  await rm(directory, { recursive: true, force: true });
}
