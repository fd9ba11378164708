import { fork, type ChildProcess, type StdioOptions } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** How to start a child process. */
export interface EntryOptions {
  args?: readonly string[];
  /** Added to this process's environment; a name set to undefined is taken out of it. */
  environment?: Record<string, string | undefined>;
  /** Where the child's output goes; an IPC channel is always added. Default: no input, output to this process's own. */
  stdio?: { stdout: 'inherit' | 'pipe' | 'ignore'; stderr: 'inherit' | 'pipe' | 'ignore' };
}

/**
 * Starts one of our own modules as a child process with an IPC channel, the same way from sources and from the build:
 * `spawnEntry(new URL('./mongo-host.js', import.meta.url))` runs `mongo-host.ts` through swc when the caller itself is
 * a `.ts` module, and `mongo-host.js` with plain Node when it is not.
 *
 * The child is in a process group of its own, so that Ctrl-C reaches only the parent, which then stops its children in
 * order. A child that calls `followParent` ends when the parent dies, however it dies.
 *
 * @param entry the module's URL, named as the build names it (`.js`)
 */
export function spawnEntry(entry: URL, options: EntryOptions = {}): ChildProcess {
  const fromSources = import.meta.url.endsWith('.ts');
  const path = fileURLToPath(entry).replace(/\.[jt]s$/, fromSources ? '.ts' : '.js');
  const { stdout, stderr } = options.stdio ?? { stdout: 'inherit', stderr: 'inherit' };
  const stdio: StdioOptions = ['ignore', stdout, stderr, 'ipc'];
  return fork(path, options.args ?? [], {
    // Not process.execArgv: a test runner's or a debugger's own flags are not for our children.
    execArgv: fromSources ? sourceFlags() : ['--enable-source-maps'],
    env: { ...inheritedEnvironment(), ...(fromSources ? { SWC_NODE_PROJECT: sourceProject() } : {}), ...options.environment },
    stdio,
    detached: true,
  });
}

/** The environment as this process got it, to be handed on. Nothing is read from it: that is `src/config.ts`'s alone. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  // eslint-disable-next-line no-restricted-properties -- handed on whole, not read
  return process.env;
}

function sourceFlags(): string[] {
  const require = createRequire(import.meta.url);
  const register = join(dirname(require.resolve('@swc-node/register')), 'esm', 'esm-register.mjs');
  return ['--enable-source-maps', '--import', pathToFileURL(register).href];
}

function sourceProject(): string {
  return fileURLToPath(new URL('../../tsconfig.json', import.meta.url));
}
