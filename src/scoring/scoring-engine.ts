/*
 * Scores chunks of batches on threads of their own.
 *
 * How a task is done:
 * 1. It waits until a thread is available. An idle thread is taken first. If there is none, a new thread is started
 *    while there are fewer than allowed. After that, a thread takes the task as its next one.
 * 2. The rows are copied to the thread, which does its tasks one after the other. It asks for a model that it lacks.
 * 3. The answer of the thread resolves or rejects the task.
 *
 * If a thread ends, its first task fails and its next task waits again. If a task is aborted, its caller gets the
 * reason at once, and the thread stops the task.
 */
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import { ServiceUnavailableError } from '../errors.js';
import type { BundleFiles } from '../risk/bundle/bundle-files.js';
import type { RiskModel } from '../risk/risk-model.js';
import type { ScoredColumns } from '../risk/score-columns.js';
import { plainError } from '../process/plain-error.js';
import { threadEntry } from '../process/source-modules.js';
import type { RequestedBundle, ScoringThreadAnswer, ScoringThreadRequest } from './scoring-thread.js';
import { logError } from '../process/logger.js';

/** Rows to be scored by one model. */
export interface ScoringTask {
  readonly model: RiskModel;
  /** Row-major, rowCount x features, as `EncodedRow.used`. The caller must not use it after it is passed on. */
  readonly used: Float64Array;
  readonly rowCount: number;
  readonly explain: boolean;
}

/**
 * Scores chunks of batches on threads of their own, so that the main thread can read and write other chunks meanwhile.
 */
export interface ScoringEngine {
  /**
   * @throws the signal's reason when it is aborted; ServiceUnavailableError when the thread ended during the task, so
   *   that another attempt may succeed
   */
  score(task: ScoringTask, signal: AbortSignal): Promise<ScoredColumns>;
  /** Waits for the tasks under way, and then ends the threads. */
  close(): Promise<void>;
}

interface PendingTask extends ScoringTask {
  readonly number: number;
  readonly signal: AbortSignal;
  resolve(columns: ScoredColumns): void;
  reject(error: unknown): void;
}

/** Most tasks that a thread has: its present task and its next one, so that it need not wait for the main thread. */
const mostInHand = 2;

/**
 * Starts a thread that answers `ScoringThreadRequest`s. The start takes a second, and each thread loads its own models.
 */
export function startScoringThread(): Worker {
  const { path, execArgv, environment } = threadEntry(new URL('./scoring-thread.js', import.meta.url));
  return new Worker(path, { execArgv, env: environment });
}

interface ScoringEngineDependencies {
  /**
   * Most threads that run at the same time. A thread is started when there is work, also after an earlier one ended.
   */
  readonly threads: number;
  /** Starts one thread. */
  readonly start: () => Worker;
  /** Reads the files of a model that a thread has to load. */
  readonly bundle: (id: string, version: string) => Promise<BundleFiles>;
  readonly logger: Logger;
}

export function createScoringEngine({ threads, start, bundle, logger }: ScoringEngineDependencies): ScoringEngine {
  const waiting: PendingTask[] = [];
  /** Unanswered tasks of each thread, in order. The thread does the first of them. */
  const inHand = new Map<Worker, PendingTask[]>();
  const ends = new Map<Worker, Promise<void>>();
  let tasks = 0;

  function startThread(): Worker {
    const thread = start();
    inHand.set(thread, []);
    thread.on('message', (answer: ScoringThreadAnswer) => {
      if ('needs' in answer) return void supply(thread, answer.needs);
      settle(inHand.get(thread)!.shift()!, answer);
      dispatch();
    });
    // The `exit` event follows, and rejects the task.
    thread.on('error', (error) =>
      logError(logger, error, 'a scoring thread failed, and with it the attempt of a chunk'),
    );
    ends.set(
      thread,
      new Promise((resolve) =>
        thread.once('exit', () => {
          const [begun, ...others] = inHand.get(thread)!;
          inHand.delete(thread);
          ends.delete(thread);
          begun?.reject(
            new ServiceUnavailableError('The thread that scored these patients ended before it had a result.'),
          );
          // The thread had not started its other tasks, so they cannot be the reason for its end: they wait again.
          waiting.unshift(...others.filter(({ signal }) => !signal.aborted));
          dispatch();
          resolve();
        }),
      ),
    );
    return thread;
  }

  /**
   * @returns a thread for another task: an idle one, else a new one, else one without a next task; undefined for none
   */
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
      // The rows are copied, not transferred: a task that was not started must survive the end of its thread.
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

  /** Sends a thread the files of a model, or the reason why it cannot have them. */
  async function supply(
    thread: Worker,
    { modelId, modelVersion }: { readonly modelId: string; readonly modelVersion: string },
  ): Promise<void> {
    const requested = await bundle(modelId, modelVersion).then(
      (files): RequestedBundle => ({ files }),
      (error: unknown): RequestedBundle => ({ error: plainError(error) }),
    );
    send(thread, { kind: 'bundle', bundle: requested });
  }

  /** Rejects an aborted task, takes it off the waiting list, and asks the thread that has it to stop. */
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

/** Resolves or rejects a task. This has no effect on an aborted task, which was rejected before. */
function settle(task: PendingTask, answer: Exclude<ScoringThreadAnswer, { readonly needs: unknown }>): void {
  if ('error' in answer) task.reject(Object.assign(new Error(answer.error.message), { name: answer.error.name }));
  else task.resolve(answer.columns);
}
