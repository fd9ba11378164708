import { type NodeAttributes } from '../onnx/node-attributes.js';
import type { OnnxNode } from '../onnx/model-proto.js';
import type { Columns } from './columns.js';
import type { GraphIndex } from './graph-index.js';

/**
 * Gives the columns of a tensor.
 * @throws UnexplainableModelError when a column depends on more than one input feature
 */
export type ColumnResolver = (tensor: string) => Columns;

/** The step that an operator applies to columns; undefined when this table does not know the operator. */
export type ColumnStep = (
  node: OnnxNode,
  attributes: NodeAttributes,
  resolve: ColumnResolver,
  graph: GraphIndex,
) => Columns;
