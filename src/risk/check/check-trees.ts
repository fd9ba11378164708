import { countCovers, hasRealCovers, noCoversReason, noCoversRemedy } from '../covers.js';
import { type Background, createExplainer } from '../explainers.js';
import type { OnnxSession } from '../onnx-session.js';
import { type ParsedModel, prepareRows, readNodes } from '../parse-model.js';
import type { ShapMethod } from '../risk-model.js';
import type { TreeExplainer } from '../shap/index.js';
import { locateDifference } from './locate-difference.js';
import { requireAdditivity, requireAgreement } from './model-checks.js';
import { missingAndExtremeRows, randomRows } from './probe-rows.js';
import type { CheckList } from './report.js';
import { realisticRows, resampled } from './realistic-rows.js';
import { branchCount, thresholdRows } from './threshold-rows.js';
import { SliceSizer } from '../slices.js';

/** The number of rows of each kind that a check takes. */
export interface CheckEffort {
  readonly randomRows: number;
  readonly extremeRows: number;
  readonly branches: number;
  /** Realistic rows to explain. As many random and extreme rows come in addition. */
  readonly explainedRows: number;
  /** Sizes of background sets, besides the bundle's own, against which rows are explained. */
  readonly backgrounds: readonly number[];
  /** The time that a slice of rows aims at. Large slices are faster; a server needs small ones. */
  readonly sliceMilliseconds: number;
}

/**
 * The effort of `riskgraph model check`: every threshold of the model. The kernel takes background rows by blocks of
 * 128: 100 rows are one block, and 300 are three.
 */
export const thorough: CheckEffort = {
  randomRows: 2000,
  extremeRows: 500,
  branches: Infinity,
  explainedRows: 40,
  backgrounds: [100, 300],
  sliceMilliseconds: 100,
};

/** The effort at load: the same checks on fewer rows. A server with several models still starts in seconds. */
export const light: CheckEffort = {
  randomRows: 200,
  extremeRows: 50,
  branches: 200,
  explainedRows: 10,
  backgrounds: [],
  sliceMilliseconds: 8,
};

/** Compares ONNX Runtime with the parsed trees, on rows that are made to find differences. */
export async function checkAgreement(
  list: CheckList,
  model: ParsedModel,
  session: OnnxSession,
  { effort, bytes }: { readonly effort: CheckEffort; readonly bytes: Uint8Array },
): Promise<void> {
  const seen = (rows: number, share: number): string =>
    `ONNX Runtime and the parsed trees agree on ${rows} rows (largest difference ${(share * 100).toFixed(1)} % of ` +
    'what float32 sums are allowed)';
  const options = {
    sizer: new SliceSizer(effort.sliceMilliseconds),
    locate: (row: Float64Array) => locateDifference(bytes, model, readNodes(bytes, model.featureCount), row),
  };
  const random = randomRows(model, effort.randomRows);
  await list.run(
    'random rows',
    () => requireAgreement(model, session, random, options),
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
        worst = Math.max(worst, await requireAgreement(model, session, rows, options));
        rowCount += rows.rowCount;
        list.progress('thresholds', rows.tested, branches);
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
    () => requireAgreement(model, session, extreme, options),
    (share) => seen(extreme.rowCount, share),
  );
}

interface ExplainerPlan {
  readonly background: Background | null;
  /** True when the model has no background set: random rows replace it, to check additivity only. */
  readonly standIn: boolean;
  /** Rows of the caller, against which rows are explained too. They do not serve. */
  readonly further?: Background;
  /** Explain this output only; all when undefined. */
  readonly output?: number;
  /** Ends the name of each check in the report. */
  readonly of?: string;
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
  const title = (method: string): string => `${method} SHAP${plan.of ?? ''}`;
  const rows = explainedRows(model, plan, effort.explainedRows);
  const sizer = new SliceSizer(effort.sliceMilliseconds);
  const real = hasRealCovers(model.ensemble);
  if (real || (plan.background && !plan.standIn)) {
    await list.run(
      title('path-dependent'),
      async () => {
        const explainer = createExplainer(model, 'PATH_DEPENDENT', plan.background, options);
        const worst = await requireAdditivity(model, explainer, rows, outputs, sizer);
        explainers.set('PATH_DEPENDENT', explainer);
        return worst;
      },
      (worst) =>
        `adds up within ${worst.toExponential(1)} on ${rows.rowCount} rows; ` +
        `${real ? 'covers from nodes_hitrates' : coversFromBackground(model, plan.background!)}`,
    );
  } else {
    list.pass(title('path-dependent'), `not offered: ${noCoversReason}; ${noCoversRemedy}`);
  }
  const { background, further } = plan;
  const base = background ?? further;
  if (!base) {
    list.pass(title('interventional'), 'not offered: the bundle has no background set');
    return explainers;
  }
  // The bundle's own first: its explainer is the one that serves.
  const backgrounds = [
    ...(background ? [background] : []),
    ...(further ? [further] : []),
    ...effort.backgrounds.filter((count) => count !== base.rowCount).map((count) => resampled(model, base, count)),
  ];
  await list.run(
    title('interventional'),
    async () => {
      let worst = 0;
      for (const [index, used] of backgrounds.entries()) {
        list.progress(title('interventional'), index, backgrounds.length);
        const explainer = createExplainer(model, 'INTERVENTIONAL', used, options);
        worst = Math.max(worst, await requireAdditivity(model, explainer, rows, outputs, sizer));
        if (used === background) explainers.set('INTERVENTIONAL', explainer);
      }
      return worst;
    },
    (worst) =>
      `adds up within ${worst.toExponential(1)} on ${rows.rowCount} rows against ` +
      `${backgrounds.map(({ rowCount }) => rowCount).join(', ')} ${plan.standIn ? 'random' : 'background'} rows` +
      (background ? '' : '; not offered: the bundle has no background set'),
  );
  // A method that fails for one background is not offered for another.
  if (!list.passed(title('interventional'))) explainers.delete('INTERVENTIONAL');
  return explainers;
}

/** Makes realistic rows, random ones, and rows with missing and extreme values. */
function explainedRows(model: ParsedModel, { background, further }: ExplainerPlan, count: number): Background {
  const half = Math.ceil(count / 2);
  const kinds = [
    realisticRows(model, further ?? background, count),
    randomRows(model, half),
    missingAndExtremeRows(model, half),
  ];
  return {
    rows: Float64Array.from(kinds.flatMap(({ rows }) => Array.from(rows))),
    rowCount: kinds.reduce((sum, { rowCount }) => sum + rowCount, 0),
  };
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
