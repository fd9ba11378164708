import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { exitOf, terminate, type ChildExit } from '../../src/embedded/child-exit.js';
import { spawnEntry } from '../../src/embedded/spawn-entry.js';
import { atEnd } from './at-end.js';
import { freePort } from './free-port.js';

/** A running `riskgraph api --processes N`, or worker. */
interface RunningGroup {
  readonly url: string;
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  /** The process ids of its processes. */
  members(): number[];
}

/**
 * Starts a command that runs several processes, as a service manager does: without a terminal.
 * @param whileStarting is called at once, with the process id of the command
 */
export async function startGroup(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  whileStarting: (pid: number) => Promise<void> = () => Promise.resolve(),
): Promise<RunningGroup> {
  const child = spawnEntry(new URL('../../src/cli.js', import.meta.url), {
    args,
    environment,
    stdio: { stdout: 'ignore', stderr: 'ignore' },
  });
  const exited = exitOf(child);
  atEnd(() => terminate(child, exited));
  const first = once(child, 'message');
  await whileStarting(child.pid!);
  const [report] = (await Promise.race([
    first,
    exited.then(({ code, signal }) => [{ failed: `ended with ${code ?? signal}` }]),
  ])) as [{ ready?: string; failed?: string }];
  if (report.ready === undefined) throw new Error(report.failed);
  const pid = child.pid!;
  return { url: report.ready, pid, exited, members: () => childrenOf(pid) };
}

/** The process ids of the children of a process. Empty when it has ended. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Finds free ports that follow each other. @returns the first */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = await freePort();
    const servers = Array.from({ length: count }, () => createServer());
    const outcomes = await Promise.all(
      servers.map(
        (server, place) =>
          new Promise<boolean>((resolve) => {
            server.once('error', () => resolve(false));
            server.listen(Math.min(first + place, 65_535), '127.0.0.1', () => resolve(true));
          }),
      ),
    );
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    if (outcomes.every(Boolean)) return first;
  }
}
