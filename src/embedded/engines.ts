import { startMongo } from './embedded-mongo.js';
import { startRedis } from './embedded-redis.js';
import { withFullDisk } from './full-disk.js';
import { supervise, type UnexpectedExit } from './supervisor.js';

/** Tells `startEngines` where to keep the data, and which engines run already. */
export interface EngineOptions {
  /** An existing directory that only this process uses: see `openDataDirectory`. */
  dataDirectory: string;
  /** The URI of a MongoDB that runs already. With it, none is started. */
  mongoUri?: string;
  /** The URL of a Redis that runs already. With it, none is started. */
  redisUrl?: string;
  /** Called when an engine ended unexpectedly, before it is started again at the same URL. */
  onUnexpectedExit?: (event: UnexpectedExit) => void;
}

/** The running databases of one installation. */
export interface Engines {
  mongoUri: string;
  redisUrl: string;
  /** Process ids of those that were started here. They change at a restart. */
  pids(): { mongodb?: number; redis?: number };
  /** Ends those that were started here and writes their data to disk. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts the embedded MongoDB and Redis when no address is given, and keeps them running. An engine that dies is
 * started again at the same URL, so clients only need to reconnect.
 *
 * @throws StartupError with a message for the operator when an engine cannot be started; then none is left running
 */
export async function startEngines(options: EngineOptions): Promise<Engines> {
  const { dataDirectory, onUnexpectedExit = () => undefined } = options;
  const explain = (reason: string): Promise<string> => withFullDisk(reason, dataDirectory);
  const starts = await Promise.allSettled([
    options.mongoUri === undefined
      ? supervise('mongodb', () => startMongo(dataDirectory), onUnexpectedExit, explain)
      : undefined,
    options.redisUrl === undefined
      ? supervise('redis', (again) => startRedis(dataDirectory, { keepPort: again }), onUnexpectedExit, explain)
      : undefined,
  ]);
  const [mongo, redis] = starts.map((start) => (start.status === 'fulfilled' ? start.value : undefined));
  const stop = async (): Promise<void> => {
    await Promise.all([mongo?.stop(), redis?.stop()]);
  };
  const failure = starts.find((start) => start.status === 'rejected');
  if (failure) {
    await stop();
    throw failure.reason;
  }
  return {
    mongoUri: options.mongoUri ?? mongo!.url,
    redisUrl: options.redisUrl ?? redis!.url,
    pids: () => ({ mongodb: mongo?.pid(), redis: redis?.pid() }),
    stop,
  };
}
