import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import { ServiceUnavailableError } from '../errors.js';
import type { RiskModel } from '../risk/risk-model.js';
import type { ScoredColumns } from '../risk/score-columns.js';
import { threadEntry } from '../source-modules.js';
import type { ScoringThreadAnswer, ScoringThreadData, ScoringThreadRequest } from './scoring-thread-messages.js';

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
  readonly signal: AbortSignal;
  resolve(columns: ScoredColumns): void;
  reject(error: unknown): void;
}

/** Starts a thread that answers `ScoringThreadRequest`s. It costs a second and its own copy of the models. */
export function startScoringThread(modelsDirectory: string): Worker {
  const { path, execArgv, environment } = threadEntry(new URL('./scoring-thread.js', import.meta.url));
  return new Worker(path, { execArgv, env: environment, workerData: { modelsDirectory } satisfies ScoringThreadData });
}

/**
 * @param threads how many run at once; each is started when there is work for it, and again after its end
 * @param start starts one
 */
export function createScoringEngine(threads: number, start: () => Worker, logger: Logger): ScoringEngine {
  const waiting: PendingTask[] = [];
  const idle: Worker[] = [];
  const ended = new Map<Worker, Promise<void>>();

  function open(): Worker {
    const thread = start();
    ended.set(thread, new Promise((resolve) => thread.once('exit', () => {
      ended.delete(thread);
      const place = idle.indexOf(thread);
      if (place >= 0) idle.splice(place, 1);
      resolve();
    })));
    // Followed by the exit, which tells whoever waits.
    thread.on('error', (error) => logger.error({ err: error }, 'scoring thread'));
    return thread;
  }

  function dispatch(): void {
    while (waiting.length > 0 && (idle.length > 0 || ended.size < threads)) run(idle.pop() ?? open(), waiting.shift()!);
  }

  function run(thread: Worker, task: PendingTask): void {
    const cancel = (): void => send(thread, { kind: 'cancel' });
    const finish = (settle: () => void): void => {
      thread.off('message', onAnswer).off('exit', onExit);
      task.signal.removeEventListener('abort', cancel);
      settle();
      dispatch();
    };
    const onExit = (): void => finish(() => task.reject(new ServiceUnavailableError('The thread that scored these patients ended before it was done.')));
    const onAnswer = (answer: ScoringThreadAnswer): void => {
      idle.push(thread);
      finish(() => {
        if (task.signal.aborted) task.reject(task.signal.reason);
        else if ('fault' in answer) task.reject(Object.assign(new Error(answer.fault.message), { name: answer.fault.name }));
        else task.resolve(answer.columns);
      });
    };
    thread.on('message', onAnswer).on('exit', onExit);
    task.signal.addEventListener('abort', cancel);
    const { model, used, rowCount, explain } = task;
    const { id, version } = model.manifest;
    send(thread, { kind: 'score', modelId: id, modelVersion: version, modelSha256: model.sha256, used, rowCount, explain }, [used.buffer as ArrayBuffer]);
  }

  const send = (thread: Worker, request: ScoringThreadRequest, handedOver: ArrayBuffer[] = []): void => thread.postMessage(request, handedOver);

  return {
    score: (task, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const pending: PendingTask = { ...task, signal, resolve, reject };
        waiting.push(pending);
        signal.addEventListener('abort', () => {
          const place = waiting.indexOf(pending);
          if (place < 0) return;
          waiting.splice(place, 1);
          reject(signal.reason);
        }, { once: true });
        dispatch();
      }),
    async close() {
      const all = [...ended];
      for (const [thread] of all) send(thread, { kind: 'close' });
      await Promise.all(all.map(([, end]) => end));
    },
  };
}
