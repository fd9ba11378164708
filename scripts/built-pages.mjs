/**
 * Parts of the builds of pages: both the explorer and the console store their files compressed, and build only when a
 * source or the lock file has changed.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** All files of a folder, sorted. */
export const filesOf = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();

/** One checksum of the names and contents of files. `root` is left out of the names. */
function checksumOf(files, root) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file.slice(root.length)).update(readFileSync(file));
  return hash.digest('hex');
}

/** Runs `build` unless `folder` was built from exactly these files before. */
export async function buildOnce({ root, folder, files }, build) {
  const stamp = join(folder, '.built');
  const wanted = checksumOf([...files, join(root, 'package-lock.json')], root);
  if (readOrNothing(stamp) === wanted) return;
  await build();
  for (const file of filesOf(join(folder, 'assets'))) {
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
    unlinkSync(file);
  }
  writeFileSync(stamp, wanted);
}

function readOrNothing(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
