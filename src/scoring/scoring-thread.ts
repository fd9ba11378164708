/**
 * A thread that only scores and explains rows. It uses the risk engine, and neither database nor queue. It asks the
 * main thread for the files of a model when the first task needs the model, and loads it through the usual checks.
 */
import { parentPort } from 'node:worker_threads';
import { LRUCache } from 'lru-cache';
import type { BundleFiles } from '../risk/bundle/bundle-files.js';
import { loadBundleFiles } from '../risk/load-risk-model.js';
import { versionName } from '../risk/model-name.js';
import { plainError, type PlainError } from '../process/plain-error.js';
import type { RiskModel } from '../risk/risk-model.js';
import { scoreColumns, type ScoredColumns } from '../risk/score-columns.js';

/** Most models that a thread has in memory. The one that was used longest ago is closed. */
const modelsInMemory = 16;

const port = parentPort!;

const models = new LRUCache<string, RiskModel>({ max: modelsInMemory, dispose: (model) => void model.close() });

/** Abort controllers of the unanswered tasks, by task number. */
const cancellations = new Map<number, AbortController>();

/** Takes the files that this thread has asked for. */
let receive: ((bundle: RequestedBundle) => void) | undefined;

let last: Promise<void> = Promise.resolve();

port.on('message', (request: ScoringThreadRequest) => {
  switch (request.kind) {
    case 'score':
      cancellations.set(request.task, new AbortController());
      last = last.then(() => answer(request));
      return;
    case 'bundle':
      return receive?.(request.bundle);
    case 'cancel':
      return cancellations.get(request.task)?.abort();
    case 'close':
      return void last.then(close);
  }
});

async function answer(request: ScoreRequest): Promise<void> {
  const { signal } = cancellations.get(request.task)!;
  try {
    signal.throwIfAborted();
    const model = await findModel(request);
    const columns = await scoreColumns(model, request.used, request.rowCount, request.explain, signal);
    port.postMessage({ columns } satisfies ScoringThreadAnswer, buffersOf(columns));
  } catch (error) {
    port.postMessage({ error: plainError(error) } satisfies ScoringThreadAnswer);
  } finally {
    cancellations.delete(request.task);
  }
}

/**
 * Finds the model of a task, or loads it. The main thread has checked that it serves this model. This thread has got
 * the files on its own, so it checks again.
 */
async function findModel({ modelId, modelVersion, modelSha256 }: ScoreRequest): Promise<RiskModel> {
  const name = versionName(modelId, modelVersion);
  const known = models.get(name);
  if (known?.sha256 === modelSha256) return known;
  const bundle = await new Promise<RequestedBundle>((resolve) => {
    receive = resolve;
    port.postMessage({ needs: { modelId, modelVersion } } satisfies ScoringThreadAnswer);
  });
  if ('error' in bundle) throw Object.assign(new Error(bundle.error.message), { name: bundle.error.name });
  const model = await loadBundleFiles(name, bundle.files);
  models.set(name, model);
  if (model.sha256 === modelSha256) return model;
  throw new Error(`The bundle of ${name} has changed since the worker started: restart the worker.`);
}

function buffersOf({ rawOutputs, answers, riskBands, classes, explanations }: ScoredColumns): ArrayBuffer[] {
  const { outputValues, additivityErrors, contributions } = explanations ?? {};
  return [
    rawOutputs,
    answers,
    riskBands,
    classes?.rawOutputs,
    classes?.probabilities,
    outputValues,
    additivityErrors,
    contributions,
  ].flatMap((column) => (column ? [column.buffer as ArrayBuffer] : []));
}

async function close(): Promise<void> {
  await Promise.all([...models.values()].map((model) => model.close()));
  port.close();
}

/** The files of a model, or the reason why there are none. */
export type RequestedBundle = { readonly files: BundleFiles } | { readonly error: PlainError };

interface ScoreRequest {
  readonly kind: 'score';
  /** Number of the task, which a `cancel` request names. */
  readonly task: number;
  readonly modelId: string;
  readonly modelVersion: string;
  readonly modelSha256: string;
  /** Row-major, rowCount x features. */
  readonly used: Float64Array;
  readonly rowCount: number;
  readonly explain: boolean;
}

/** A message to a scoring thread. The thread does its tasks one after the other, and answers each of them. */
export type ScoringThreadRequest =
  | ScoreRequest
  /** Answers `needs`. */
  | { readonly kind: 'bundle'; readonly bundle: RequestedBundle }
  | { readonly kind: 'cancel'; readonly task: number }
  /** Asks the thread to end after all its tasks. */
  | { readonly kind: 'close' };

/** The answer to a task. A cancelled task fails, or succeeds if it was done already. `needs` asks for a model first. */
export type ScoringThreadAnswer =
  | { readonly columns: ScoredColumns }
  | { readonly error: PlainError }
  | { readonly needs: Pick<ScoreRequest, 'modelId' | 'modelVersion'> };
