import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { exitOf, terminate } from '../../src/embedded/child-exit.js';
import { spawnEntry } from '../../src/embedded/spawn-entry.js';
import { atEnd } from './at-end.js';
import { namespace } from './namespace.js';
import { settingsFor } from './system.js';

/** An API in a process of its own, so that its memory and its descriptors can be measured. */
interface ApiProcess {
  readonly url: string;
  readonly pid: number;
  /** Number of descriptors that the process has open. */
  descriptors(): number;
  /** Resident memory of the process, bytes. Infinity once the process has died. */
  memory(): number;
}

/** Starts an API process over databases of its own. */
export async function startApiProcess(
  options: {
    readonly environment?: Readonly<Record<string, string>>;
    /** Arguments of Node itself, such as the size of the heap. */
    readonly nodeOptions?: readonly string[];
  } = {},
): Promise<ApiProcess> {
  const child = spawnEntry(new URL('../../src/cli.js', import.meta.url), {
    args: ['api'],
    nodeOptions: options.nodeOptions,
    environment: { ...settingsFor(namespace()), ...options.environment },
  });
  const exited = exitOf(child);
  atEnd(() => terminate(child, exited));
  const [{ ready: url }] = (await once(child, 'message')) as [{ ready: string }];
  const pid = child.pid!;
  return {
    url,
    pid,
    descriptors: () => readdirSync(`/proc/${pid}/fd`).length,
    memory() {
      try {
        return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
      } catch {
        return Infinity;
      }
    },
  };
}
