import type { ScoredColumns } from '../risk/score-columns.js';

/** What a scoring thread is started with. */
export interface ScoringThreadData {
  readonly modelsDirectory: string;
}

/** To a scoring thread, which does its tasks one after the other, and answers each. */
export type ScoringThreadRequest =
  | {
      readonly kind: 'score';
      /** Names the task, should it be cancelled. */
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
  /** When all tasks are done. */
  | { readonly kind: 'close' };

/** The answer to a task. A cancelled one fails, or succeeds when it was done already. */
export type ScoringThreadAnswer = { readonly columns: ScoredColumns } | { readonly fault: { readonly name: string; readonly message: string } };
