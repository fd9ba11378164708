/**
 * The trees of one ONNX model as plain arrays. The parser makes them, the checks compare them with ONNX Runtime, and
 * the explainers compile them. Arrays have one entry per node unless said otherwise. Semantics: ai.onnx.ml
 * TreeEnsemble, https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html
 */
export interface TreeEnsemble {
  /** Width of an input row. */
  readonly featureCount: number;
  /**
   * For each column of a row, the column of the feature that it was made of; the SHAP value goes there. Absent when
   * each column is a feature of its own.
   */
  readonly owner?: Int32Array;
  /**
   * Number of SHAP outputs: 1 for binary classifiers with a single class id (second label), else classes or targets.
   */
  readonly outputCount: number;
  /** Type in which inputs and thresholds are compared. With 32, `threshold` holds exact float32 values. */
  readonly precision: 32 | 64;
  /** Index of the root node of each tree. */
  readonly roots: Int32Array;
  readonly mode: Uint8Array;
  /** Column of the input row; 0 at leaves. */
  readonly feature: Int32Array;
  readonly threshold: Float64Array;
  /** Children by node index; -1 at leaves. */
  readonly trueChild: Int32Array;
  readonly falseChild: Int32Array;
  /** 1: NaN goes to the true child. 0: the comparison decides (false, but true for NEQ). */
  readonly missingTracksTrue: Uint8Array;
  /** Training rows (or weights) that reached the node; null when the file holds no real counts. */
  readonly cover: Float64Array | null;
  /**
   * Leaf weights of node n: entries leafStart[n] to leafStart[n + 1] of leafOutput and leafWeight. Length nodes + 1.
   */
  readonly leafStart: Int32Array;
  readonly leafOutput: Int32Array;
  /** Weights of the file, already divided by the number of trees when the aggregate function is AVERAGE. */
  readonly leafWeight: Float64Array;
  /** Added once per row, one per output, never divided. */
  readonly baseValues: Float64Array;
  readonly postTransform: PostTransform;
}

/** Values of `TreeEnsemble.mode`. */
export const NodeMode = { LEQ: 0, LT: 1, GTE: 2, GT: 3, EQ: 4, NEQ: 5, LEAF: 6, MEMBER: 7 } as const;
export type NodeMode = (typeof NodeMode)[keyof typeof NodeMode];

export type PostTransform = 'NONE' | 'LOGISTIC' | 'SOFTMAX' | 'SOFTMAX_ZERO' | 'PROBIT';
