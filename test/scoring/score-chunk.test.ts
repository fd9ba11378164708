import { Types } from 'mongoose';
import { expect, test } from 'vitest';
import type { PatientRows } from '../../src/patients/patient-rows.js';
import { loadRiskModels, type DirectoryModel } from '../../src/risk/registry.js';
import { scoreColumns } from '../../src/risk/score-columns.js';
import { createMetrics } from '../../src/process/metrics.js';
import { createChunkScorer } from '../../src/scoring/score-chunk.js';
import { goldenFeatures } from '../support/heart-disease.js';

const [{ model }] = (await loadRiskModels('risk-models')) as [DirectoryModel];

test('a patient whose explanation does not add up fails; the others of the chunk are scored', async () => {
  const signal = new AbortController().signal;
  const golden = Object.fromEntries(goldenFeatures(0).map(({ code, value }) => [code, value]));
  const row = model.encode(golden).used;
  const ids = Array.from({ length: 4 }, () => new Types.ObjectId());
  const given = Float64Array.from(ids.flatMap(() => [...row]));
  const rows: Pick<PatientRows, 'ids' | 'given' | 'complete'> = { ids, given, complete: () => undefined };
  const metrics = createMetrics();
  const score = createChunkScorer(
    {
      score: async ({ used, rowCount, explain }) => {
        const columns = await scoreColumns(model, used, rowCount, explain, signal);
        const { contributions } = columns.explanations!;
        contributions[row.length]! += 1e-3;
        contributions[2 * row.length] = Number.NaN;
        return columns;
      },
      close: async () => undefined,
    },
    metrics,
  );
  const outcome = await score(model, { rows: rows as PatientRows, read: undefined as never }, true, signal);
  expect(outcome.rows.map(({ patient }) => patient)).toEqual([ids[0], ids[3]]);
  expect(outcome.failures).toEqual(
    [ids[1], ids[2]].map((patient) => ({
      patient,
      code: 'INTERNAL',
      message: expect.stringContaining('the SHAP values do not add up') as string,
    })),
  );
  const text = await metrics.registry.metrics();
  expect(text).toContain('riskgraph_additivity_failures_total{model="heart-disease@1.0.0"} 2');
  expect(text).toContain('riskgraph_model_rows_total{model="heart-disease@1.0.0"} 4');
  for (const step of ['inference', 'shap'])
    expect(text).toContain(`riskgraph_model_${step}_seconds_count{model="heart-disease@1.0.0"} 1`);
});
