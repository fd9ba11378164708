import { withinTime } from '../process/within-time.js';

/** Period between two signs of life, and the longest wait for one. Milliseconds. */
const defaultPeriodMs = 1_000;
const answerMs = 5_000;
/** Time without a sign of life after which new connections are tried, milliseconds. */
const defaultPatienceMs = 10_000;

interface WatchDependencies {
  /** Asks the server for a sign of life, over the connections of the process. @throws any error when none comes */
  readonly ping: () => Promise<unknown>;
  /** Tells whether the server answers over a new connection. */
  readonly answersNewConnection: () => Promise<boolean>;
  /** Called once, when the connections of the process are broken for good. */
  readonly onStuck: () => void;
  readonly periodMs?: number;
  readonly patienceMs?: number;
}

/**
 * Notices a driver that never finds back to its server. After the server was killed under load, the driver's monitor
 * may wait for an event of a connection that is gone. All operations then fail, although the server runs. Only a new
 * process, or a new client, helps. An outage of the server itself is no such case. The end of one is no such case either:
 * new connections work at once, and the operations of a busy process wait for their turn. So new connections must work for
 * as long again, without a sign of life of the others.
 * @returns ends the watch
 */
export function watchDatabase({
  ping,
  answersNewConnection,
  onStuck,
  periodMs = defaultPeriodMs,
  patienceMs = defaultPatienceMs,
}: WatchDependencies): () => void {
  let lastSign = performance.now();
  /** The time since when new connections work, and no other one. */
  let worksSince: number | undefined;
  let ended = false;
  let timer: NodeJS.Timeout | undefined;

  const isSilent = (): boolean => performance.now() - lastSign >= patienceMs;
  // A late sign of life is one too.
  const hears = (): Promise<boolean> =>
    withinTime(
      ping().then(
        () => {
          lastSign = performance.now();
          worksSince = undefined;
          return true;
        },
        () => false,
      ),
      answerMs,
      () => false,
    );

  async function look(): Promise<void> {
    if (!(await hears()) && isSilent()) {
      const works = await answersNewConnection();
      worksSince = works && isSilent() ? (worksSince ?? performance.now()) : undefined;
      const isLasting = worksSince !== undefined && performance.now() - worksSince >= patienceMs;
      if (isLasting && !(await hears()) && isSilent() && !ended) {
        ended = true;
        onStuck();
      }
    }
    if (!ended) timer = setTimeout(() => void look(), periodMs).unref();
  }
  timer = setTimeout(() => void look(), periodMs).unref();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
