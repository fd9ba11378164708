import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import { ServiceUnavailableError } from '../errors.js';
import type { RiskModel } from '../risk/risk-model.js';
import type { ScoredColumns } from '../risk/score-columns.js';
import { threadEntry } from '../process/source-modules.js';
import type { ScoringThreadAnswer, ScoringThreadData, ScoringThreadRequest } from './scoring-thread.js';
import { logError } from '../process/logger.js';

/** Rows to be scored by one model. */
export interface ScoringTask {
  readonly model: RiskModel;
  /** Row-major, rowCount x features, as `EncodedRow.used`. Belongs to the engine from here on. */
  readonly used: Float64Array;
  readonly rowCount: number;
  readonly explain: boolean;
}

/** Scores chunks of batches on threads of their own, so that this one can read and write other chunks meanwhile. */
export interface ScoringEngine {
  /**
   * @throws the signal's reason when it is aborted; ServiceUnavailableError when the thread ended in the middle of it,
   *   which is worth another attempt
   */
  score(task: ScoringTask, signal: AbortSignal): Promise<ScoredColumns>;
  /** Lets tasks under way end, then the threads. */
  close(): Promise<void>;
}

interface PendingTask extends ScoringTask {
  readonly number: number;
  readonly signal: AbortSignal;
  resolve(columns: ScoredColumns): void;
  reject(error: unknown): void;
}

/** Tasks that a thread has at once: the one it does, and the one it goes on with, so that it never waits for this thread to have time. */
const mostInHand = 2;

/** Starts a thread that answers `ScoringThreadRequest`s. It costs a second and its own copy of the models. */
export function startScoringThread(modelsDirectory: string): Worker {
  const { path, execArgv, environment } = threadEntry(new URL('./scoring-thread.js', import.meta.url));
  return new Worker(path, { execArgv, env: environment, workerData: { modelsDirectory } satisfies ScoringThreadData });
}

interface ScoringEngineDependencies {
  /** Threads that run at once. Each is started when there is work for it, and again after its end. */
  readonly threads: number;
  /** Starts one thread. */
  readonly start: () => Worker;
  readonly logger: Logger;
}

export function createScoringEngine({ threads, start, logger }: ScoringEngineDependencies): ScoringEngine {
  const waiting: PendingTask[] = [];
  /** What each thread was sent and has not answered, in order: it does the first. */
  const inHand = new Map<Worker, PendingTask[]>();
  const ends = new Map<Worker, Promise<void>>();
  let tasks = 0;

  function startThread(): Worker {
    const thread = start();
    inHand.set(thread, []);
    thread.on('message', (answer: ScoringThreadAnswer) => {
      settle(inHand.get(thread)!.shift()!, answer);
      dispatch();
    });
    // Followed by the exit, which tells whoever waits.
    thread.on('error', (error) => logError(logger, error, 'scoring thread'));
    ends.set(
      thread,
      new Promise((resolve) =>
        thread.once('exit', () => {
          const [begun, ...others] = inHand.get(thread)!;
          inHand.delete(thread);
          ends.delete(thread);
          begun?.reject(new ServiceUnavailableError('The thread that scored these patients ended before it was done.'));
          // Whatever ended the thread, these did not: it had not begun them.
          waiting.unshift(...others.filter(({ signal }) => !signal.aborted));
          dispatch();
          resolve();
        }),
      ),
    );
    return thread;
  }

  /** A thread that takes another task: one that is idle, else a new one, else one that has something to do, but not yet enough. */
  function available(): Worker | undefined {
    const [least] = [...inHand].sort(([, one], [, other]) => one.length - other.length);
    if (least?.[1].length !== 0 && inHand.size < threads) return startThread();
    return least && least[1].length < mostInHand ? least[0] : undefined;
  }

  function dispatch(): void {
    while (waiting.length > 0) {
      const thread = available();
      if (!thread) return;
      const task = waiting.shift()!;
      inHand.get(thread)!.push(task);
      const { number, model, used, rowCount, explain } = task;
      const { id, version } = model.manifest;
      // Copied, not handed over: a task that is not begun outlives its thread.
      send(thread, {
        kind: 'score',
        task: number,
        modelId: id,
        modelVersion: version,
        modelSha256: model.sha256,
        used,
        rowCount,
        explain,
      });
    }
  }

  /** Nobody waits for it any more; a thread that has it in hand is told not to do it, or to stop. */
  function abandon(task: PendingTask): void {
    task.reject(task.signal.reason);
    const place = waiting.indexOf(task);
    if (place >= 0) waiting.splice(place, 1);
    for (const [thread, sent] of inHand) if (sent.includes(task)) send(thread, { kind: 'cancel', task: task.number });
  }

  const send = (thread: Worker, request: ScoringThreadRequest): void => thread.postMessage(request);

  return {
    async score(task, signal) {
      signal.throwIfAborted();
      let stopListening: () => void = () => undefined;
      try {
        return await new Promise<ScoredColumns>((resolve, reject) => {
          const pending: PendingTask = { ...task, number: (tasks += 1), signal, resolve, reject };
          const onAbort = (): void => abandon(pending);
          signal.addEventListener('abort', onAbort);
          stopListening = () => signal.removeEventListener('abort', onAbort);
          waiting.push(pending);
          dispatch();
        });
      } finally {
        stopListening();
      }
    },
    async close() {
      const all = [...ends];
      for (const [thread] of all) send(thread, { kind: 'close' });
      await Promise.all(all.map(([, end]) => end));
    },
  };
}

/** A task that was abandoned is settled already. */
function settle(task: PendingTask, answer: ScoringThreadAnswer): void {
  if ('error' in answer) task.reject(Object.assign(new Error(answer.error.message), { name: answer.error.name }));
  else task.resolve(answer.columns);
}
