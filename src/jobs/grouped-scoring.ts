import { createGroupCommit } from '../group-commit.js';
import type { EncodedRow, RiskModel, RowExplanation, Score } from '../risk/risk-model.js';

/** A risk model asked about one row at a time; rows that come at the same time share one call of the engine. */
export interface RowScorer {
  score(row: EncodedRow): Promise<Score>;
  explain(row: EncodedRow): Promise<RowExplanation>;
}

/** The row scorer of each model, made when it is first asked for. A row alone costs the engine twice what it costs among others. */
export function createRowScorers(): (model: RiskModel) => RowScorer {
  const scorers = new WeakMap<RiskModel, RowScorer>();
  return (model) => {
    const known = scorers.get(model);
    if (known) return known;
    const scorer: RowScorer = {
      score: createGroupCommit(async (rows) => (await model.score(rows)).map((value) => ({ value }))),
      explain: createGroupCommit(async (rows) => (await model.explain(rows)).map((value) => ({ value }))),
    };
    scorers.set(model, scorer);
    return scorer;
  };
}
