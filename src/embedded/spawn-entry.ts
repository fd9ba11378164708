import { fork, type ChildProcess } from 'node:child_process';
import cluster from 'node:cluster';
import { moduleEntry } from '../process/source-modules.js';

/** Options for the start of a child process. */
interface EntryOptions {
  args?: readonly string[];
  /** Arguments of Node itself, in addition to those that each of our modules needs. */
  nodeOptions?: readonly string[];
  /** Added to this process's environment. A name set to undefined is removed from it. */
  environment?: Record<string, string | undefined>;
  /** The targets of the child's output. Default: this process's own. It has no input and always an IPC channel. */
  stdio?: { stdout: 'inherit' | 'pipe' | 'ignore'; stderr: 'inherit' | 'pipe' | 'ignore' };
}

/**
 * Starts one of our modules as a child process with an IPC channel, in the same way from sources and from the build.
 *
 * The child has its own process group. So Ctrl-C reaches only the parent, which then stops its children in order.
 * A child that calls `followParent` ends when the parent dies, even after kill -9.
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

/**
 * Does the same for a child that listens on the same ports as its siblings. The socket is this process's own, so a
 * connection that waits to be accepted is not lost when one of the children ends: another one takes it. Each child takes
 * connections when it has time for them (SCHED_NONE of node:cluster).
 *
 * The child is in the process group of this one. It must leave Ctrl-C and the hang-up of a terminal to it.
 */
export function spawnSibling(entry: URL, options: Omit<EntryOptions, 'stdio'> = {}): ChildProcess {
  const { path, execArgv, environment } = moduleEntry(entry);
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({
    exec: path,
    args: [...(options.args ?? [])],
    execArgv: [...execArgv, ...(options.nodeOptions ?? [])],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return cluster.fork({ ...environment, ...options.environment }).process;
}
