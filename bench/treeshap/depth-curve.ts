import { createInterventionalExplainer, createPathDependentExplainer } from '../../src/risk/shap/index.js';
import { randomEnsemble, randomRows } from '../../test/risk/shap/support/random-ensemble.js';
import { cpuPerCall, median, printTable } from './measure.js';
import type { Peers } from './peers.js';

const leaves = 2 ** 16;
const featureCount = 40;
const rowCount = 32;
/** The least CPU time of one measurement, in seconds. */
const seconds = 0.2;

/**
 * Measures the CPU time per leaf over forests with the same number of leaves, in full trees of growing depth. If it is
 * constant, the cost is linear in leaves.
 */
export async function depthCurve(peers: Peers, rounds: number): Promise<void> {
  const lines: string[][] = [];
  const rows = randomRows(1, rowCount, featureCount);
  const background = randomRows(2, 100, featureCount);
  for (let depth = 4; depth <= 16; depth += 2) {
    const ensemble = randomEnsemble({
      seed: depth,
      trees: leaves / 2 ** depth,
      depth,
      featureCount,
      earlyLeaves: 0,
      cover: 'FRACTIONAL',
    });
    const pathDependent = createPathDependentExplainer(ensemble);
    const interventional = createInterventionalExplainer(ensemble, background, 100);
    await peers.load(ensemble, { values: background, count: 100, width: featureCount });
    pathDependent.explain(rows, rowCount);
    const times = { path: [] as number[], interventional: [] as number[], xgboost: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      times.xgboost.push(1e9 * (await peers.time('xgboost', { values: rows, count: 1, width: featureCount }, seconds)));
      times.path.push((1e9 * cpuPerCall(() => pathDependent.explain(rows, rowCount), seconds)) / rowCount);
      times.interventional.push((1e9 * cpuPerCall(() => interventional.explain(rows, rowCount), seconds)) / rowCount);
    }
    lines.push([
      String(depth),
      ...[times.path, times.interventional, times.xgboost].map((values) => (median(values) / leaves).toFixed(1)),
      (median(times.xgboost) / median(times.path)).toFixed(1),
    ]);
  }
  printTable(
    [
      'depth',
      'path-dependent, ns per leaf',
      'interventional (100), ns per leaf',
      'XGBoost pred_contribs, ns per leaf',
      'XGBoost / path-dependent',
    ],
    lines,
  );
}
