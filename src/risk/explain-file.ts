import { requireAdditive } from './additivity.js';
import { readModelFile } from './bundle/bundle-files.js';
import { type Background, createExplainer } from './explainers.js';
import { type ParsedModel, parseModel, prepareRows } from './parse-model.js';
import { readRows, requireModelRows } from './model-rows.js';
import type { ShapMethod } from './risk-model.js';
import type { TreeExplainer } from './shap/index.js';
import { SliceSizer } from './slices.js';
import { rawOutputs } from './trees/route.js';

interface ExplainFileOptions {
  /** Path of an .onnx file. */
  readonly model: string;
  /** Path of a JSON array of rows of numbers, null = missing. */
  readonly rows: string;
  readonly method: ShapMethod;
  /**
   * Path of a background set, written like the rows. Interventional SHAP needs it. Path-dependent SHAP counts covers
   * from it when the file has none.
   */
  readonly background?: string;
}

/** The values that the Python package `shap` returns, in the model's raw output space (before the post transform). */
interface FileExplanation {
  /** [output] */
  readonly expected_value: number[];
  /** [row][output] */
  readonly output: number[][];
  /** [row][output][feature]; with expected_value they add up to `output` */
  readonly shap_values: number[][][];
}

/**
 * Explains rows with a bare model file.
 * @throws InvalidModelError when a file is malformed, or the model cannot be explained in this way; it says what to add.
 *   DisagreementError when values do not add up
 */
export async function explainFile(options: ExplainFileOptions): Promise<FileExplanation> {
  const bytes = await readModelFile(options.model);
  const declared = parseModel(bytes);
  const rows = await readRows('rows file', options.rows, declared);
  const width = rows.rows.length / rows.rowCount;
  const model = declared.widthDeclared ? declared : parseModel(bytes, { featureCount: width });
  requireModelRows('rows file', rows, model);
  const background =
    options.background === undefined ? null : await readRows('background file', options.background, declared);
  if (background) requireModelRows('background file', background, model);
  const explainer = createExplainer(model, options.method, background);
  return explainRows(model, explainer, rows);
}

/** @throws DisagreementError when the values of a row do not add up to its raw output */
export async function explainRows(
  model: ParsedModel,
  explainer: TreeExplainer,
  { rows, rowCount }: Background,
): Promise<FileExplanation> {
  const { outputCount } = model.ensemble;
  const width = model.featureCount;
  const expectedValue = Array.from(explainer.expectedValue);
  const output: number[][] = [];
  const shapValues: number[][][] = [];
  await new SliceSizer().each(rowCount, undefined, (start, end) => {
    const slice = rows.subarray(start * width, end * width);
    const raw = rawOutputs(model.ensemble, prepareRows(model, slice, end - start), end - start);
    const values = explainer.explain(slice, end - start);
    for (let row = 0; row < end - start; row++) {
      const own = Array.from({ length: outputCount }, (_, index) =>
        Array.from(values.subarray((row * outputCount + index) * width, (row * outputCount + index + 1) * width)),
      );
      const outputs = Array.from(raw.subarray(row * outputCount, (row + 1) * outputCount));
      own.forEach((contributions, index) =>
        requireAdditive({ baseValue: expectedValue[index]!, contributions }, outputs[index]!),
      );
      output.push(outputs);
      shapValues.push(own);
    }
  });
  return { expected_value: expectedValue, output, shap_values: shapValues };
}
