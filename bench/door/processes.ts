import type { Identity } from '../../src/auth/viewer.js';
import { youngGeneration } from '../../src/commands/server-process.js';
import { spawnEntry } from '../../src/embedded/spawn-entry.js';
import type { Order } from './load.js';
import type { ProtectionName } from './without.js';

export interface DoorServer {
  readonly url: string;
  /** CPU time used until now. It hardly depends on the other load of the machine. */
  cpuMicroseconds(): Promise<number>;
  stop(): void;
}

/** Starts a server. @param off the protections to leave out; with none, it is the API as an operator starts it */
export async function startDoorServer(
  environment: Record<string, string>,
  off: readonly ProtectionName[],
  caller: Identity,
): Promise<DoorServer> {
  const child = spawnEntry(new URL('./server.js', import.meta.url), {
    args: [JSON.stringify(off), JSON.stringify(caller)],
    environment,
    nodeOptions: [youngGeneration],
  });
  const { ready } = await new Promise<{ ready: string }>((resolve, reject) => {
    child
      .once('message', resolve as (message: unknown) => void)
      .once('exit', (code) => reject(new Error(`the server exited with ${code}`)));
  });
  return {
    url: ready,
    cpuMicroseconds: () =>
      new Promise((resolve) => {
        child.once('message', ({ cpu }: { cpu: NodeJS.CpuUsage }) => resolve(cpu.user + cpu.system));
        child.send({});
      }),
    stop: () => void child.kill(),
  };
}

/** Sends requests. @returns the number of answered ones */
export type Load = (order: Order) => Promise<number>;

/** Starts the process that sends the load. */
export async function startLoad(): Promise<Load> {
  const child = spawnEntry(new URL('./load.js', import.meta.url));
  const message = (): Promise<{ answered?: number; failed?: string }> =>
    new Promise((resolve) => child.once('message', resolve as (message: unknown) => void));
  await message();
  return async (order) => {
    child.send(order);
    const { answered, failed } = await message();
    if (answered === undefined) throw new Error(failed);
    return answered;
  };
}
