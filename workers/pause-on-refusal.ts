import type { Worker } from 'bullmq';

/** Pause after the first refusal, milliseconds. It doubles with each further one. */
const shortestPauseMs = 1_000;
const longestPauseMs = 30_000;
/** Time between two tries to go on, while the work that ran at the refusal still runs. Milliseconds. */
const retryMs = 250;

/** The parts of a BullMQ worker that a pause needs. */
type Pausable = Pick<Worker, 'on' | 'pause' | 'resume' | 'isPaused'>;

/** Tells whether Redis has answered with an error, e.g. NOPERM, MISCONF or OOM. */
const isRefusal = ({ name }: Error): boolean => name === 'ReplyError';

/**
 * Pauses a worker when Redis answers with an error. BullMQ waits after an error of the connection only. After an error
 * in an answer it asks again at once, thousands of times per second.
 * @returns ends the pauses, before the worker closes
 */
export function pauseOnRefusal(worker: Pausable): () => void {
  let pauseMs = shortestPauseMs;
  let timer: NodeJS.Timeout | undefined;

  function goOn(): void {
    // It does nothing as long as work runs that was taken before the pause.
    void worker.resume();
    timer = worker.isPaused() ? setTimeout(goOn, retryMs) : undefined;
  }
  worker.on('error', (error) => {
    if (timer || !isRefusal(error)) return;
    // It sets the pause before it returns, and waits for nothing.
    void worker.pause(true);
    timer = setTimeout(goOn, pauseMs);
    pauseMs = Math.min(2 * pauseMs, longestPauseMs);
  });
  worker.on('active', () => (pauseMs = shortestPauseMs));
  return () => clearTimeout(timer);
}
