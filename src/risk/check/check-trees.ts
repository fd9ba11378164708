import { countCovers, hasRealCovers, noCoversReason, noCoversRemedy } from '../covers.js';
import { type Background, createExplainer } from '../explainers.js';
import type { OnnxSession } from '../onnx-session.js';
import { type ParsedModel, prepareRows } from '../parse-model.js';
import type { ShapMethod } from '../risk-model.js';
import type { TreeExplainer } from '../shap/index.js';
import { requireAdditivity, requireAgreement } from './model-checks.js';
import { branchCount, missingAndExtremeRows, randomRows, thresholdRows } from './probe-rows.js';
import type { CheckList } from './report.js';

/** The number of rows of each kind that a check takes. */
export interface CheckEffort {
  readonly randomRows: number;
  readonly extremeRows: number;
  readonly branches: number;
  readonly explainedRows: number;
}

/** The effort of `riskgraph model check`: every threshold of the model. */
export const thorough: CheckEffort = { randomRows: 2000, extremeRows: 500, branches: Infinity, explainedRows: 100 };

/** The effort at load: the same checks on fewer rows. A server with several models still starts in seconds. */
export const light: CheckEffort = { randomRows: 200, extremeRows: 50, branches: 200, explainedRows: 10 };

/** Compares ONNX Runtime with the parsed trees, on rows that are made to find differences. */
export async function checkAgreement(
  list: CheckList,
  model: ParsedModel,
  session: OnnxSession,
  effort: CheckEffort,
): Promise<void> {
  const seen = (rows: number, share: number): string =>
    `ONNX Runtime and the parsed trees agree on ${rows} rows (largest difference ${(share * 100).toFixed(1)} % of ` +
    'what float32 sums are allowed)';
  const random = randomRows(model, effort.randomRows);
  await list.run(
    'random rows',
    () => requireAgreement(model, session, random),
    (share) => seen(random.rowCount, share),
  );
  const total = branchCount(model);
  const branches = Math.min(total, effort.branches);
  let rowCount = 0;
  await list.run(
    'thresholds',
    async () => {
      let worst = 0;
      // In parts, so that a large forest's rows are never all in memory.
      for (const rows of thresholdRows(model, branches)) {
        worst = Math.max(worst, await requireAgreement(model, session, rows));
        rowCount += rows.rowCount;
      }
      return worst;
    },
    (share) =>
      `on and one step around ${branches === total ? 'each' : `${branches}`} of ${total} thresholds: ` +
      `${seen(rowCount, share)}`,
  );
  const extreme = missingAndExtremeRows(model, effort.extremeRows);
  await list.run(
    'missing and extreme',
    () => requireAgreement(model, session, extreme),
    (share) => seen(extreme.rowCount, share),
  );
}

interface ExplainerPlan {
  readonly background: Background | null;
  /** True when the model has no background set: random rows replace it, to check additivity only. */
  readonly standIn: boolean;
  /** Explain this output only; all when undefined. */
  readonly output?: number;
}

/**
 * Makes the explainers that the model can have, and checks that their values add up.
 * @returns explainers by method, the default first
 */
export async function checkExplainers(
  list: CheckList,
  model: ParsedModel,
  plan: ExplainerPlan,
  effort: CheckEffort,
): Promise<Map<ShapMethod, TreeExplainer>> {
  const explainers = new Map<ShapMethod, TreeExplainer>();
  const outputs =
    plan.output === undefined
      ? Array.from({ length: model.ensemble.outputCount }, (_, output) => output)
      : [plan.output];
  const options = plan.output === undefined ? undefined : { output: plan.output };
  const rows = mixedRows(model, effort.explainedRows);
  const real = hasRealCovers(model.ensemble);
  if (real || (plan.background && !plan.standIn)) {
    await list.run(
      'path-dependent SHAP',
      async () => {
        const explainer = createExplainer(model, 'PATH_DEPENDENT', plan.background, options);
        const worst = await requireAdditivity(model, explainer, rows, outputs);
        explainers.set('PATH_DEPENDENT', explainer);
        return worst;
      },
      (worst) =>
        `adds up within ${worst.toExponential(1)} on ${rows.rowCount} rows; ` +
        `${real ? 'covers from nodes_hitrates' : coversFromBackground(model, plan.background!)}`,
    );
  } else {
    list.pass('path-dependent SHAP', `not offered: ${noCoversReason}; ${noCoversRemedy}`);
  }
  if (!plan.background) {
    list.pass('interventional SHAP', 'not offered: the bundle has no background set');
    return explainers;
  }
  await list.run(
    'interventional SHAP',
    async () => {
      const explainer = createExplainer(model, 'INTERVENTIONAL', plan.background, options);
      const worst = await requireAdditivity(model, explainer, rows, outputs);
      explainers.set('INTERVENTIONAL', explainer);
      return worst;
    },
    (worst) =>
      `adds up within ${worst.toExponential(1)} on ${rows.rowCount} rows against ${plan.background!.rowCount} ` +
      `${plan.standIn ? 'random' : 'background'} rows`,
  );
  return explainers;
}

function mixedRows(model: ParsedModel, count: number): { rows: Float64Array; rowCount: number } {
  const random = randomRows(model, Math.ceil(count / 2));
  const extreme = missingAndExtremeRows(model, Math.ceil(count / 2));
  return { rows: Float64Array.from([...random.rows, ...extreme.rows]), rowCount: random.rowCount + extreme.rowCount };
}

function coversFromBackground(model: ParsedModel, background: Background): string {
  const covers = countCovers(
    model.ensemble,
    prepareRows(model, background.rows, background.rowCount),
    background.rowCount,
  );
  const empty = covers.reduce((sum, cover) => sum + (cover === 0 ? 1 : 0), 0);
  return (
    `covers counted from ${background.rowCount} background rows, which leave ${empty} of ${covers.length} nodes ` +
    'unreached'
  );
}
