import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The way to run one of our own modules as a process or thread of its own. */
interface ModuleEntry {
  /** The file to run: `.ts` when this process runs from sources, `.js` when it runs the build. */
  readonly path: string;
  /**
   * Arguments for Node itself. They are not process.execArgv: the flags of a test runner or debugger are only for this
   * process.
   */
  readonly execArgv: string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** The folder of our package: two levels above the folder of this file when it runs from sources. */
const sourceRoot = fileURLToPath(new URL('../..', import.meta.url));
let buildRoot: string | undefined;

/**
 * Starts later processes and threads from the build, although this process runs from sources. The tests call it: a
 * child then starts without compiling. The caller makes sure that the build is up to date.
 * @param directory the folder of the build, e.g. `dist`
 */
export function startModulesFromBuild(directory: string): void {
  buildRoot = directory;
}

/**
 * Finds out how to run a module, from sources and from the build alike. From sources, `moduleEntry(new
 * URL('./mongo-host.js', import.meta.url))` gives `mongo-host.ts`, run through swc. From the build, it gives
 * `mongo-host.js`, run with plain Node.
 * @param entry the module's URL, with the file name of the build (`.js`)
 */
export function moduleEntry(entry: URL): ModuleEntry {
  const path = fileURLToPath(entry);
  const execArgv = ['--enable-source-maps'];
  const environment = inheritedEnvironment();
  if (!import.meta.url.endsWith('.ts')) return { path, execArgv, environment };
  if (buildRoot !== undefined) return { path: inBuild(path, buildRoot), execArgv, environment };
  return {
    path: path.replace(/\.js$/, '.ts'),
    execArgv: [...execArgv, '--import', swcLoader()],
    environment: { ...environment, SWC_NODE_PROJECT: join(sourceRoot, 'tsconfig.json') },
  };
}

/**
 * Does the same as `moduleEntry`, for a thread. The compiler of the sources is native code. If only the thread loaded
 * it, Node would unload it at the thread's end, while the compiler's own threads still run.
 */
export function threadEntry(entry: URL): ModuleEntry {
  const found = moduleEntry(entry);
  if (found.path.endsWith('.ts')) createRequire(import.meta.url)('@swc/core');
  return found;
}

/** The place of a module of `src` in the build. A module of the tests is in no build: its path does not change. */
function inBuild(path: string, directory: string): string {
  const place = relative(sourceRoot, path);
  return place.startsWith('src/') ? join(directory, place) : path;
}

/** The environment of this process, to be passed on unchanged. Only `src/config/config.ts` reads it. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  // eslint-disable-next-line no-restricted-properties -- passed on unchanged, not read
  return process.env;
}

function swcLoader(): string {
  const require = createRequire(import.meta.url);
  return pathToFileURL(join(dirname(require.resolve('@swc-node/register')), 'esm', 'esm-register.mjs')).href;
}
