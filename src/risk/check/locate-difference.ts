/**
 * Finds the node at which ONNX Runtime and the parsed graph part, on a row on which their outputs differ:
 *
 * 1. Each tensor from the trees on is compared, in the order of the data. The first that differs names its node.
 * 2. When that node is the trees, the tensors before them are compared bit by bit. The first that differs is the cause.
 */
import { Agreement } from '../agreement.js';
import { InvalidModelError } from '../errors.js';
import type { Columns } from '../graph/columns.js';
import { numberTypes } from '../onnx/number-types.js';
import { ElementType } from '../onnx/tensor-proto.js';
import { startModelSession } from '../onnx-session.js';
import { type ParsedModel, prepareRows, type ReadNode } from '../parse-model.js';
import { rawOutputs } from '../trees/route.js';

/**
 * @param bytes the file, as ONNX Runtime runs it
 * @param model the file as RiskGraph reads it
 * @param nodes its nodes, each after those that it reads
 * @param row one row of the model's features
 * @returns the title of the node; undefined when no tensor that can be compared differs
 */
export async function locateDifference(
  bytes: Uint8Array,
  model: ParsedModel,
  nodes: readonly ReadNode[],
  row: Float64Array,
): Promise<string | undefined> {
  const runtimeValues = async (tensor: string): Promise<Float64Array> => {
    const session = await startModelSession(bytes, {
      ...model,
      scoreTensor: tensor,
      scoreIsOutput: model.scoreIsOutput && tensor === model.scoreTensor,
    });
    return session.run(row, 1).finally(() => session.close());
  };
  for (const { title, tensor, asOutput, isTrees } of nodes) {
    const ending = tensor === model.scoreTensor ? model : asOutput && modelOrNone(asOutput);
    if (!ending || agree(ending, row, await runtimeValues(tensor))) continue;
    return (isTrees && (await differingColumns(model, nodes, row, runtimeValues))) || title;
  }
  return undefined;
}

async function differingColumns(
  { inputs }: ParsedModel,
  nodes: readonly ReadNode[],
  row: Float64Array,
  runtimeValues: (tensor: string) => Promise<Float64Array>,
): Promise<string | undefined> {
  const rounds = inputs.flatMap(({ elementType, columns }) =>
    columns.columns.map(() => numberTypes.get(elementType)!.round),
  );
  const valueOf = ({ feature, apply }: Columns['columns'][number]): number =>
    apply(feature < 0 ? 0 : rounds[feature]!(row[feature]!));
  for (const { title, tensor, columns } of nodes) {
    if (!columns || columns.elementType === ElementType.STRING) continue;
    const values = await runtimeValues(tensor);
    const same = columns.columns.every((column, place) => sameNumber(valueOf(column), values[place]!));
    if (!same || values.length !== columns.columns.length) return title;
  }
  return undefined;
}

const sameNumber = (one: number, other: number): boolean => one === other || (Number.isNaN(one) && Number.isNaN(other));

function agree(model: ParsedModel, row: Float64Array, scores: Float64Array): boolean {
  return new Agreement(model).agrees(rawOutputs(model.ensemble, prepareRows(model, row, 1), 1), scores);
}

/** A sum with the sign turned, for one, cannot end a model. It is skipped: the next tensor shows its difference. */
function modelOrNone(asOutput: () => ParsedModel): ParsedModel | undefined {
  try {
    return asOutput();
  } catch (error) {
    if (error instanceof InvalidModelError) return undefined;
    throw error;
  }
}
