import type { ScoredColumns } from '../risk/score-columns.js';

/** What a scoring thread is started with. */
export interface ScoringThreadData {
  readonly modelsDirectory: string;
}

/** To a scoring thread. One task at a time. */
export type ScoringThreadRequest =
  | {
      readonly kind: 'score';
      readonly modelId: string;
      readonly modelVersion: string;
      readonly modelSha256: string;
      /** Row-major, rowCount x features; handed over, not copied. */
      readonly used: Float64Array;
      readonly rowCount: number;
      readonly explain: boolean;
    }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'close' };

/** The answer to a task. A cancelled one fails, or succeeds when it was done already. */
export type ScoringThreadAnswer = { readonly columns: ScoredColumns } | { readonly fault: { readonly name: string; readonly message: string } };
