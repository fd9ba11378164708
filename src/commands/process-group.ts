import { closeTogether } from '../closers.js';
import type { Config } from '../config/config.js';
import { supervise, type Supervised, type UnexpectedExit } from '../embedded/supervisor.js';
import { requireFreePort } from '../http/listen.js';
import { startServerProcess } from './server-process.js';

/** Time without a sign of life after which an API or a worker is started again, seconds. */
const silentSeconds = 20;
/** Time after the draining within which a process ends by itself, milliseconds (serve.ts). */
const closingMs = 25_000;
/** Seconds in which load balancers notice that an API in production is about to close. */
const productionDrainSeconds = 5;

/** Seconds for which a stopping API drains. */
export const drainSecondsOf = ({ drainSeconds, environment }: Pick<Config, 'drainSeconds' | 'environment'>): number =>
  drainSeconds ?? (environment === 'production' ? productionDrainSeconds : 0);

/** Processes of one kind that are kept running. */
export interface ProcessGroup {
  /** The URL of the API. All processes of the group listen on it. */
  readonly url: string;
  /** Replaces one process after the other. Each new one serves before the one in its place ends. */
  replace(): Promise<void>;
  /** Ends all processes at the same time. A second call asks them to hurry. */
  stop(): Promise<void>;
}

interface GroupOptions {
  readonly command: 'api' | 'worker';
  readonly count: number;
  readonly config: Pick<Config, 'drainSeconds' | 'environment' | 'host' | 'listeningSockets' | 'port'>;
  /** The settings of all processes. Those that they do not name are inherited. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The METRICS_PORT of the first process. The others take the ports behind it. 0: each takes a free one. */
  readonly metricsPort: number | undefined;
  readonly report: (event: UnexpectedExit) => void;
}

/**
 * Starts the processes of a group at the same time, all on one port. A process that ends is started again, and so is one
 * that is frozen. When a first start fails, all are stopped.
 * @throws StartupError when the port is taken, or the error of the first start that failed
 */
export async function startProcessGroup(options: GroupOptions): Promise<ProcessGroup> {
  const { command, count, config, environment, metricsPort, report } = options;
  // Together they copy the socket as often as one process would.
  const listeningSockets = Math.ceil(config.listeningSockets / count);
  const patienceMs = drainSecondsOf(config) * 1_000 + closingMs;
  // The processes share a port by its number.
  const port = command === 'api' ? await requireFreePort(config.host, config.port) : undefined;

  const start = (place: number) => () =>
    startServerProcess(
      command,
      {
        ...environment,
        PORT: port === undefined ? undefined : String(port),
        LISTENING_SOCKETS: String(listeningSockets),
        METRICS_PORT: metricsPort === undefined ? undefined : String(metricsPort === 0 ? 0 : metricsPort + place),
      },
      { silentSeconds, isSibling: true, patienceMs },
    );
  const nameOf = (place: number): string => (count === 1 ? command : `${command} ${place + 1}`);
  const results = await Promise.allSettled(
    Array.from({ length: count }, (_, place) => supervise(nameOf(place), start(place), report)),
  );
  const members = results.flatMap((result): Supervised[] => (result.status === 'fulfilled' ? [result.value] : []));
  const stop = (): Promise<void> => closeTogether(members.map((member) => () => member.stop()));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) {
    await stop();
    throw failure.reason;
  }
  return {
    url: members[0]!.url,
    async replace() {
      for (const member of members) await member.replace();
    },
    stop,
  };
}
