import { UnexplainableModelError } from '../errors.js';
import { type NodeAttributes, nodeTitle } from '../onnx/node-attributes.js';
import type { OnnxNode } from '../onnx/model-proto.js';
import type { Columns } from './columns.js';
import type { FeatureLimits } from './feature-limits.js';
import type { GraphIndex } from './graph-index.js';

/**
 * Gives the columns of a tensor.
 * @throws UnexplainableModelError when a column depends on more than one input feature
 */
export type ColumnResolver = (tensor: string) => Columns;

/** The surroundings of a node that is followed. */
export interface StepContext {
  readonly node: OnnxNode;
  readonly attributes: NodeAttributes;
  readonly resolve: ColumnResolver;
  readonly graph: GraphIndex;
  readonly limits: FeatureLimits;
  /** The requested output; a node may have several. */
  readonly tensor: string;
}

/** The step that an operator applies to columns. */
export type ColumnStep = (context: StepContext) => Columns;

const plainRemedy = 'move that step out of the model, or train the trees on the features themselves';

/** Makes the error for a node that no step can follow. */
export function cannotFollow({ node }: Pick<StepContext, 'node'>, reason: string, remedy = plainRemedy): Error {
  return new UnexplainableModelError(`node ${nodeTitle(node)}`, `it comes before the trees and ${reason}`, remedy);
}

/** Returns the columns of a node's first input. */
export function firstInput({ node, resolve }: StepContext): Columns {
  return resolve(node.inputs[0] ?? '');
}
