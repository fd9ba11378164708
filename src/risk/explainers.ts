import { withCovers, noCoversReason, noCoversRemedy } from './covers.js';
import { UnexplainableModelError } from './errors.js';
import { type ParsedModel, prepareRows } from './parse-model.js';
import type { ShapMethod } from './risk-model.js';
import { createInterventionalExplainer, createPathDependentExplainer, type TreeExplainer } from './shap/index.js';

/** Rows that stand for "feature unknown": row-major, rowCount x features, as the model's inputs, NaN = missing. */
export interface Background {
  readonly rows: Float64Array;
  readonly rowCount: number;
}

/**
 * Makes an exact explainer over the model's input features.
 * @param options.output explain this SHAP output only
 * @throws UnexplainableModelError when the method lacks covers or a background set; it says what to add
 */
export function createExplainer(
  model: ParsedModel,
  method: ShapMethod,
  background: Background | null,
  options?: { output?: number },
): TreeExplainer {
  const prepared = background && {
    rows: prepareRows(model, background.rows, background.rowCount),
    rowCount: background.rowCount,
  };
  if (method === 'PATH_DEPENDENT') {
    const ensemble = withCovers(model.ensemble, prepared);
    if (!ensemble.cover) throw new UnexplainableModelError('path-dependent SHAP', noCoversReason, noCoversRemedy);
    return overInputs(model, createPathDependentExplainer(ensemble, options));
  }
  if (!prepared || prepared.rowCount === 0)
    throw new UnexplainableModelError(
      'interventional SHAP',
      'it compares with a background set and there is none',
      'give a background set of representative rows',
    );
  return overInputs(model, createInterventionalExplainer(model.ensemble, prepared.rows, prepared.rowCount, options));
}

function overInputs(model: ParsedModel, explainer: TreeExplainer): TreeExplainer {
  return {
    expectedValue: explainer.expectedValue,
    explain: (rows, rowCount) => perFeature(model, explainer.explain(prepareRows(model, rows, rowCount), rowCount)),
  };
}

/** Takes the features' values out of the columns' values. The first columns are the features, and own the others. */
function perFeature({ ensemble, featureCount }: ParsedModel, values: Float64Array): Float64Array {
  const width = ensemble.featureCount;
  if (width === featureCount) return values;
  const result = new Float64Array((values.length / width) * featureCount);
  for (let row = 0; row * width < values.length; row++)
    result.set(values.subarray(row * width, row * width + featureCount), row * featureCount);
  return result;
}
