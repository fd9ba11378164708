import { InvalidModelError } from './errors.js';
import { readModel } from './onnx/model-proto.js';
import { ElementType } from './onnx/tensor-proto.js';
import type { ParsedTrees } from './trees/parsed-trees.js';
import { readClassicTrees } from './trees/read-classic-trees.js';

/** Reads an ONNX file with one tree operator. @throws InvalidModelError */
export function parseModel(bytes: Uint8Array): ParsedTrees {
  const model = readModel(bytes);
  const node = model.nodes.find((candidate) => candidate.domain === 'ai.onnx.ml' && candidate.operator.startsWith('TreeEnsemble'));
  if (!node) throw new InvalidModelError('ONNX file', 'it holds no tree ensemble', 'export a forest or boosted trees');
  const input = model.inputs[0];
  return readClassicTrees(node, input?.shape?.[1] ?? null, input?.elementType === ElementType.DOUBLE ? 64 : 32);
}
