import type { NodeAttributes } from '../onnx/node-attributes.js';
import type { ScoreLayout } from './score-layout.js';

/** The meaning of an operator's raw outputs for SHAP, and the output of each leaf weight. */
export interface OutputPlan {
  readonly outputCount: number;
  readonly baseValues: Float64Array;
  readonly layout: ScoreLayout;
  readonly labels: readonly string[] | null;
  /**
   * True when only the first of several weights of a leaf for one output counts, as in ONNX Runtime with one target.
   */
  readonly oneWeightPerLeaf: boolean;
  outputOf(id: number): number;
}

/**
 * Plans the outputs of TreeEnsembleRegressor: one per target.
 * @throws InvalidModelError for an invalid number of targets
 */
export function targetOutputs(attributes: NodeAttributes, baseValues: Float64Array): OutputPlan {
  const targets = attributes.integer('n_targets', 0);
  if (targets < 1 || targets > 10_000)
    throw attributes.refuse(`n_targets is ${targets}`, 'export a model with 1 to 10000 targets');
  return {
    outputCount: targets,
    baseValues: expand(attributes, baseValues, targets),
    layout: 'PLAIN',
    labels: null,
    oneWeightPerLeaf: targets === 1,
    outputOf: (id) => id,
  };
}

/**
 * Plans the outputs of TreeEnsembleClassifier: one per class. If two labels share one class id (binary models of
 * skl2onnx and onnxmltools), there is a single output, of the second label. Base values go where ONNX Runtime 1.30 puts
 * them.
 * @throws InvalidModelError when labels, class ids and base values do not fit together
 */
export function classOutputs(attributes: NodeAttributes, ids: Float64Array, baseValues: Float64Array): OutputPlan {
  const strings = attributes.strings('classlabels_strings');
  const labels = strings?.length
    ? Array.from({ length: strings.length }, (_, index) => strings.at(index))
    : Array.from(attributes.integers('classlabels_int64s'), String);
  if (labels.length < 2 || labels.length > 10_000)
    throw attributes.refuse(`it has ${labels.length} class labels`, 'export a classifier with 2 to 10000 classes');
  const plan = { labels, oneWeightPerLeaf: false };
  if (labels.length > 2)
    return {
      ...plan,
      outputCount: labels.length,
      baseValues: expand(attributes, baseValues, labels.length),
      layout: 'PLAIN',
      outputOf: (id) => id,
    };
  if (baseValues.length > 1) {
    throw attributes.refuse(
      'it has two base values for two labels; the scores that ONNX Runtime makes of them are not a sum of the trees',
      "train with num_parallel_tree=1 or as XGBRFClassifier, where XGBoost's converter wrote it; with " +
        'boost_from_average=False, where CatBoost did; else give one base value',
    );
  }
  const base = expand(attributes, baseValues.length === 1 ? baseValues : new Float64Array(1), 1);
  const idsInUse = new Set(ids);
  if (idsInUse.size > 1)
    return { ...plan, outputCount: 2, baseValues: Float64Array.of(base[0]!, 0), layout: 'PLAIN', outputOf: (id) => id };
  // If 1 is the only class id, the base value goes to class 0 and appears in no output.
  if (idsInUse.has(1))
    return { ...plan, outputCount: 1, baseValues: new Float64Array(1), layout: 'SECOND_OF_TWO', outputOf: () => 0 };
  return { ...plan, outputCount: 1, baseValues: base, layout: 'SECOND_CLASS', outputOf: () => 0 };
}

function expand(attributes: NodeAttributes, values: Float64Array, count: number): Float64Array {
  if (values.length === 0) return new Float64Array(count);
  if (values.length !== count)
    throw attributes.refuse(
      `base_values has ${values.length} values, but must have ${count} or none`,
      "export such a list, or none; skl2onnx writes one value for init='zero': train without it",
    );
  if (!values.every(Number.isFinite)) throw attributes.refuse('base_values has a value that is not a finite number');
  return values.slice();
}
