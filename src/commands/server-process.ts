import type { ChildProcess } from 'node:child_process';
import type { Config } from '../config/config.js';
import { fileVariable } from '../config/secret-files.js';
import { describeExit, exitOf, terminate, type ChildExit } from '../embedded/child-exit.js';
import { spawnEntry, spawnSibling } from '../embedded/spawn-entry.js';
import type { ReplaceableEngine } from '../embedded/supervisor.js';
import { StartupError } from '../errors.js';
import { passLogSignals } from './log-signals.js';

/** The first report of an API or worker child to its parent: the child serves, or its start failed. */
type FirstReport = { readonly ready: string } | { readonly failed: string };
/** A report of a child to its parent. After the first one, signs of life follow. */
type ProcessReport = FirstReport | { readonly alive: true };

/**
 * An order of the parent to a child that shares its port. `leave`: end, and let the siblings take new callers.
 * `hurry`: end the draining.
 */
export type ParentOrder = 'leave' | 'hurry';

/** Period between two signs of life of a child, milliseconds. */
const signPeriodMs = 1_000;

/** Time after which a child that was asked to end is killed, milliseconds. */
const defaultPatienceMs = 15_000;

/**
 * Sets the size of a semi-space of the heap's young generation, MiB. The current data of a worker's batch are a few
 * megabytes that live for some milliseconds. The same is true of an API's requests that wait for their audit events.
 * When such data fit in the young generation, they are never copied into the old one.
 */
export const youngGeneration = '--max-semi-space-size=64';

/** Sends a report to the parent. @returns false when there is no parent that still listens */
export function reportToParent(report: ProcessReport): boolean {
  // With a callback, the error of a broken channel goes to the callback. Without one it would be uncaught.
  return process.connected && process.send!(report, undefined, undefined, () => undefined);
}

/**
 * Sends signs of life to the parent. A frozen process sends none.
 * @param isStuck tells whether only a new process helps. The signs then end, so that the parent starts one.
 */
export function sendSignsOfLife(isStuck: () => boolean, periodMs = signPeriodMs): void {
  setInterval(() => {
    if (!isStuck()) reportToParent({ alive: true });
  }, periodMs).unref();
}

/**
 * Kills a child that gives no sign of life. The time is counted in turns of our own event loop: when the whole machine
 * sleeps, that is no silence of the child.
 * @returns tells whether the child was killed
 */
function killWhenSilent(child: ChildProcess, exited: Promise<ChildExit>, seconds: number): () => boolean {
  let silent = 0;
  let killed = false;
  child.on('message', () => (silent = 0));
  const timer = setInterval(() => {
    silent += 1;
    if (silent < seconds) return;
    killed = true;
    // A stopped process obeys no other signal.
    child.kill('SIGKILL');
  }, 1_000);
  void exited.then(() => clearInterval(timer));
  return () => killed;
}

/** The way to start an API or a worker as a child process. */
interface ServerProcessOptions {
  /** Kills a child that gives no sign of life for so long. Absent: it is never killed. */
  readonly silentSeconds?: number;
  /** The child listens on the same ports as its siblings, and takes orders. @defaultValue false */
  readonly isSibling?: boolean;
  /** Time after which a child that was asked to end is killed, milliseconds. @defaultValue 15,000 */
  readonly patienceMs?: number;
}

/**
 * Starts `riskgraph api` or `riskgraph worker` as a child process and waits until it serves.
 * @throws StartupError with the child's own reason when its start fails
 */
export async function startServerProcess(
  command: 'api' | 'worker',
  environment: Record<string, string | undefined>,
  { silentSeconds, isSibling = false, patienceMs }: ServerProcessOptions = {},
): Promise<ReplaceableEngine> {
  const child = (isSibling ? spawnSibling : spawnEntry)(new URL('../cli.js', import.meta.url), {
    args: [command],
    environment,
    nodeOptions: [youngGeneration],
  });
  const exited = exitOf(child);
  passLogSignals(child, exited);
  const report = await Promise.race([
    new Promise<FirstReport>((resolve) => child.once('message', (message) => resolve(message as FirstReport))),
    exited.then((exit): FirstReport => ({
      failed: `The ${command} process ${describeExit(exit)} before it was ready: see its log above.`,
    })),
  ]);
  if ('failed' in report) {
    await terminate(child, exited);
    throw new StartupError(report.failed);
  }
  const wasSilent = silentSeconds === undefined ? () => false : killWhenSilent(child, exited, silentSeconds);
  const reason = `gave no sign of life for ${silentSeconds} s and was killed`;
  const order = (what: ParentOrder): void => void (child.connected && child.send({ order: what }, () => undefined));
  let isEnding = false;
  async function end(first: () => void): Promise<void> {
    if (isEnding && isSibling) order('hurry');
    else first();
    isEnding = true;
    const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs ?? defaultPatienceMs);
    await exited;
    clearTimeout(timer);
  }
  return {
    url: report.ready,
    pid: child.pid!,
    exited: exited.then((exit): ChildExit => (wasSilent() ? { ...exit, reason } : exit)),
    stop: () => end(() => child.kill('SIGTERM')),
    ...(isSibling && { leave: () => end(() => order('leave')) }),
  };
}

/** A secret for a child. The child reads a secret that `up` has as a file from that file. */
const secretFor = (name: string, value: string): Record<string, string | undefined> => ({
  [name]: process.env[fileVariable(name)] ? undefined : value,
});

/** Builds the settings of a child, from those of `up` and from the started databases. */
export function childEnvironment(
  config: Config,
  engines: { readonly mongoUri: string; readonly redisUrl: string },
  secretKey: string,
): Record<string, string | undefined> {
  return {
    NODE_ENV: config.environment,
    ...secretFor('MONGO_URI', engines.mongoUri),
    ...secretFor('REDIS_URL', engines.redisUrl),
    ...secretFor('SECRET_KEY', secretKey),
    PORT: String(config.port),
    HOST: config.host,
    LOG_LEVEL: config.logLevel,
  };
}
