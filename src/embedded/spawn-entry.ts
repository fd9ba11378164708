import { fork, type ChildProcess } from 'node:child_process';
import { moduleEntry } from '../process/source-modules.js';

/** How to start a child process. */
interface EntryOptions {
  args?: readonly string[];
  /** Node's own arguments, in addition to those that every module of ours needs. */
  nodeOptions?: readonly string[];
  /** Added to this process's environment; a name set to undefined is taken out of it. */
  environment?: Record<string, string | undefined>;
  /** Where the child's output goes; an IPC channel is always added. Default: no input, output to this process's own. */
  stdio?: { stdout: 'inherit' | 'pipe' | 'ignore'; stderr: 'inherit' | 'pipe' | 'ignore' };
}

/**
 * Starts one of our own modules as a child process with an IPC channel, the same way from sources and from the build.
 *
 * The child is in a process group of its own, so that Ctrl-C reaches only the parent, which then stops its children in
 * order. A child that calls `followParent` ends when the parent dies, however it dies.
 *
 * @param entry the module's URL, named as the build names it (`.js`)
 */
export function spawnEntry(entry: URL, options: EntryOptions = {}): ChildProcess {
  const { path, execArgv, environment } = moduleEntry(entry);
  const { stdout, stderr } = options.stdio ?? { stdout: 'inherit', stderr: 'inherit' };
  return fork(path, options.args ?? [], {
    execArgv: [...execArgv, ...(options.nodeOptions ?? [])],
    env: { ...environment, ...options.environment },
    stdio: ['ignore', stdout, stderr, 'ipc'],
    detached: true,
  });
}
