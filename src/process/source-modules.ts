import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** How one of our own modules is run as a process or thread of its own. */
export interface ModuleEntry {
  /** Of the file: `.ts` when we run from sources ourselves, `.js` when we run the build. */
  readonly path: string;
  /** Node's own arguments. Not process.execArgv: a test runner's or a debugger's flags are not for others. */
  readonly execArgv: string[];
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * The same from sources and from the build: `moduleEntry(new URL('./mongo-host.js', import.meta.url))` is `mongo-host.ts`
 * through swc when the caller itself is a `.ts` module, and `mongo-host.js` with plain Node when it is not.
 * @param entry the module's URL, named as the build names it (`.js`)
 */
export function moduleEntry(entry: URL): ModuleEntry {
  const fromSources = import.meta.url.endsWith('.ts');
  return {
    path: fileURLToPath(entry).replace(/\.[jt]s$/, fromSources ? '.ts' : '.js'),
    execArgv: fromSources ? ['--enable-source-maps', '--import', swcLoader()] : ['--enable-source-maps'],
    environment: {
      ...inheritedEnvironment(),
      ...(fromSources && { SWC_NODE_PROJECT: fileURLToPath(new URL('../../tsconfig.json', import.meta.url)) }),
    },
  };
}

/**
 * As `moduleEntry`, for a thread. The compiler of the sources is native code: were the thread alone to load it, it would be
 * unloaded at the thread's end, from under threads of its own.
 */
export function threadEntry(entry: URL): ModuleEntry {
  const found = moduleEntry(entry);
  if (found.path.endsWith('.ts')) createRequire(import.meta.url)('@swc/core');
  return found;
}

/** The environment as this process got it, to be handed on. Nothing is read from it: that is `src/config/config.ts`'s alone. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  // eslint-disable-next-line no-restricted-properties -- handed on whole, not read
  return process.env;
}

function swcLoader(): string {
  const require = createRequire(import.meta.url);
  return pathToFileURL(join(dirname(require.resolve('@swc-node/register')), 'esm', 'esm-register.mjs')).href;
}
