/** A thread that only scores and explains rows. It uses the risk engine, and neither database nor queue. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadRiskModels } from '../risk/registry.js';
import type { RiskModel, RiskModelRegistry } from '../risk/risk-model.js';
import { scoreColumns, type ScoredColumns } from '../risk/score-columns.js';

const port = parentPort!;

const { modelsDirectory } = workerData as ScoringThreadData;

const loading = loadRiskModels(modelsDirectory);

// A failure to load is reported in the answer to each task.
loading.catch(() => undefined);

/** Abort controllers of the unanswered tasks, by task number. */
const cancellations = new Map<number, AbortController>();

let last: Promise<void> = Promise.resolve();

port.on('message', (request: ScoringThreadRequest) => {
  switch (request.kind) {
    case 'score':
      cancellations.set(request.task, new AbortController());
      last = last.then(() => answer(request));
      return;
    case 'cancel':
      return cancellations.get(request.task)?.abort();
    case 'close':
      return void last.then(close);
  }
});

async function answer(request: ScoringThreadRequest & { kind: 'score' }): Promise<void> {
  const { signal } = cancellations.get(request.task)!;
  try {
    signal.throwIfAborted();
    const model = requireModel(await loading, request);
    const columns = await scoreColumns(model, request.used, request.rowCount, request.explain, signal);
    port.postMessage({ columns } satisfies ScoringThreadAnswer, buffersOf(columns));
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    port.postMessage({ error: { name, message } } satisfies ScoringThreadAnswer);
  } finally {
    cancellations.delete(request.task);
  }
}

/**
 * Finds the model of a task. The main thread has checked that it serves this model. This thread has read the files
 * again, so it checks again.
 */
function requireModel(
  registry: RiskModelRegistry,
  { modelId, modelVersion, modelSha256 }: ScoringThreadRequest & { kind: 'score' },
): RiskModel {
  const model = registry.find(modelId, modelVersion);
  if (model?.sha256 === modelSha256) return model;
  throw new Error(`The bundle of ${modelId}@${modelVersion} has changed since the worker started: restart the worker.`);
}

function buffersOf({ rawOutputs, answers, riskBands, explanations }: ScoredColumns): ArrayBuffer[] {
  const { outputValues, additivityErrors, contributions } = explanations ?? {};
  return [rawOutputs, answers, riskBands, outputValues, additivityErrors, contributions].flatMap((column) =>
    column ? [column.buffer as ArrayBuffer] : [],
  );
}

async function close(): Promise<void> {
  await (await loading.catch(() => undefined))?.close();
  port.close();
}

/** Data with which a scoring thread is started. */
export interface ScoringThreadData {
  readonly modelsDirectory: string;
}

/** A message to a scoring thread. The thread does its tasks one after the other, and answers each of them. */
export type ScoringThreadRequest =
  | {
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
  | { readonly kind: 'cancel'; readonly task: number }
  /** Asks the thread to end after all its tasks. */
  | { readonly kind: 'close' };

/** The answer to a task. A cancelled task fails, or succeeds if it was done already. */
export type ScoringThreadAnswer =
  { readonly columns: ScoredColumns } | { readonly error: { readonly name: string; readonly message: string } };
