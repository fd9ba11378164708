import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** How one of our own modules runs as a process or thread of its own. */
interface ModuleEntry {
  /** The file to run: `.ts` when this process runs from sources, `.js` when it runs the build. */
  readonly path: string;
  /** Node's own arguments. Not process.execArgv: the flags of a test runner or debugger are not meant for others. */
  readonly execArgv: string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** The folder of our package: two above this file's when it runs from sources. */
const sourceRoot = fileURLToPath(new URL('../..', import.meta.url));
let buildRoot: string | undefined;

/**
 * From now on, processes and threads run from the build although this process runs from sources. The tests call it: a
 * child then starts without compiling. The caller makes sure that the build is fresh.
 * @param directory the folder of the build, e.g. `dist`
 */
export function startModulesFromBuild(directory: string): void {
  buildRoot = directory;
}

/**
 * The same from sources and from the build: `moduleEntry(new URL('./mongo-host.js', import.meta.url))` is `mongo-host.ts`
 * through swc when this module itself is a `.ts` file, and `mongo-host.js` with plain Node when it is not.
 * @param entry the module's URL, named as the build names it (`.js`)
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
 * As `moduleEntry`, for a thread. The compiler of the sources is native code. If only the thread loaded it, Node would
 * unload it at the thread's end, while the compiler's own threads still run.
 */
export function threadEntry(entry: URL): ModuleEntry {
  const found = moduleEntry(entry);
  if (found.path.endsWith('.ts')) createRequire(import.meta.url)('@swc/core');
  return found;
}

/** Where the build has a module of `src`. A module of the tests is in no build: it stays where it is. */
function inBuild(path: string, directory: string): string {
  const place = relative(sourceRoot, path);
  return place.startsWith('src/') ? join(directory, place) : path;
}

/** The environment as this process got it, to be handed on. Only `src/config/config.ts` reads it. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  // eslint-disable-next-line no-restricted-properties -- handed on whole, not read
  return process.env;
}

function swcLoader(): string {
  const require = createRequire(import.meta.url);
  return pathToFileURL(join(dirname(require.resolve('@swc-node/register')), 'esm', 'esm-register.mjs')).href;
}
