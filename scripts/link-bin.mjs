/**
 * Runs at the end of the build. Makes the command line executable, and links it so that `npx riskgraph` finds it here.
 */
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const links = join(root, 'node_modules', '.bin');

mkdirSync(links, { recursive: true });
for (const [name, target] of Object.entries(bin)) {
  const program = join(root, target);
  if (!readFileSync(program, 'utf8').startsWith('#!'))
    throw new Error(`${target} must start with "#!/usr/bin/env node" to run as a command`);
  chmodSync(program, 0o755);
  const link = join(links, name);
  rmSync(link, { force: true });
  symlinkSync(relative(links, program), link);
}
