/** Fails when the scripts of the console are larger than they may be, all pages together, as they are sent (gzip). */
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const mostBytes = 150_000;
const folder = join(dirname(fileURLToPath(import.meta.url)), '../dist/console/assets');
const scripts = readdirSync(folder).filter((name) => name.endsWith('.js.gz'));
const bytes = scripts.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
const said = `The scripts of the console have ${bytes} bytes in ${scripts.length} files, at most ${mostBytes} are allowed`;
if (bytes > mostBytes) {
  console.error(`${said}: leave out what is not needed, or find a smaller package.`);
  process.exit(1);
}
console.log(said);
