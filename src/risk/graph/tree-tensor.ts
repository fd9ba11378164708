import type { TreeFunction } from './tree-functions.js';

/** In the shape of a tensor: the dimension of the rows, whose length is free. */
export const rowsDimension = -1;

/**
 * A tensor that the trees give. One dimension is `rowsDimension`; the others have fixed lengths. `columns` are in the
 * order of the other dimensions, the last one fastest.
 */
export interface TreeTensor {
  readonly shape: readonly number[];
  readonly columns: readonly TreeFunction[];
}

/** Returns a dimension counted from the front; undefined when the tensor does not have it. */
export function dimension(tensor: TreeTensor, axis: number): number | undefined {
  const rank = tensor.shape.length;
  const place = axis < 0 ? axis + rank : axis;
  return Number.isInteger(place) && place >= 0 && place < rank ? place : undefined;
}

/** Returns the tensor with the same numbers in memory and another shape; undefined when rows would be mixed. */
export function reshaped(tensor: TreeTensor, wanted: readonly number[]): TreeTensor | undefined {
  const before = (shape: readonly number[]): number =>
    product(shape.slice(0, shape.indexOf(rowsDimension)).map((length) => length));
  if (before(tensor.shape) !== 1) return undefined;
  const shape = wanted.map((length, place) => (length === 0 ? tensor.shape[place] : length));
  if (shape.some((length) => length === undefined || length < -1)) return undefined;
  const given = shape as number[];
  const copied = wanted.findIndex((length, place) => length === 0 && tensor.shape[place] === rowsDimension);
  const count = tensor.columns.length;
  const free = wanted.indexOf(-1);
  if (copied >= 0) {
    const rest = product(given.filter((_, place) => place !== copied && place !== free));
    const full = given.map((length, place) => (place === free ? count / rest : length));
    return complete({ shape: full, columns: tensor.columns });
  }
  return free < 0 ? undefined : complete({ shape: given, columns: tensor.columns });
}

/** Returns the tensor if its shape has one dimension of rows, the first but for those of length 1, and fits. */
function complete(tensor: TreeTensor): TreeTensor | undefined {
  const rows = tensor.shape.indexOf(rowsDimension);
  const fits =
    rows >= 0 &&
    tensor.shape.slice(0, rows).every((length) => length === 1) &&
    product(tensor.shape.slice(rows + 1)) === tensor.columns.length;
  return fits ? tensor : undefined;
}

/** Returns the tensor with the elements of one dimension chosen by their indices, in order. */
export function taken(tensor: TreeTensor, axis: number, indices: readonly number[]): TreeTensor | undefined {
  const length = tensor.shape[axis]!;
  const chosen = indices.map((index) => (index < 0 ? index + length : index));
  if (chosen.some((index) => !Number.isInteger(index) || index < 0 || index >= length)) return undefined;
  const inner = innerCount(tensor, axis);
  const shape = tensor.shape.with(axis, chosen.length);
  const outer = tensor.columns.length / (length * inner);
  const columns: TreeFunction[] = [];
  for (let block = 0; block < outer; block++)
    for (const index of chosen) columns.push(...tensor.columns.slice((block * length + index) * inner).slice(0, inner));
  return { shape, columns };
}

/** Returns the tensors joined along a dimension; undefined when their shapes do not fit or rows would be joined. */
export function joined(tensors: readonly TreeTensor[], axis: number): TreeTensor | undefined {
  const first = tensors[0]!;
  const others = (tensor: TreeTensor): string => tensor.shape.with(axis, 0).join();
  if (first.shape[axis] === rowsDimension || tensors.some((tensor) => tensor.shape.length !== first.shape.length))
    return undefined;
  if (tensors.some((tensor) => others(tensor) !== others(first))) return undefined;
  const length = tensors.reduce((sum, tensor) => sum + tensor.shape[axis]!, 0);
  const inner = innerCount(first, axis);
  const outer = first.columns.length / (first.shape[axis]! * inner);
  const columns = Array.from({ length: outer }, (_, block) =>
    tensors.flatMap((tensor) => {
      const size = tensor.shape[axis]! * inner;
      return tensor.columns.slice(block * size, (block + 1) * size);
    }),
  ).flat();
  return { shape: first.shape.with(axis, length), columns };
}

/** Gives the columns that differ in one dimension only, group by group, with the places of each group's columns. */
export function groups(tensor: TreeTensor, axis: number): TreeFunction[][] {
  const length = tensor.shape[axis]!;
  const inner = innerCount(tensor, axis);
  const outer = tensor.columns.length / (length * inner);
  return Array.from({ length: outer * inner }, (_, group) => {
    const start = Math.floor(group / inner) * length * inner + (group % inner);
    return Array.from({ length }, (_, index) => tensor.columns[start + index * inner]!);
  });
}

/** Puts groups of columns back into the order of a tensor. @returns the tensor of the same shape */
export function ungrouped(tensor: TreeTensor, axis: number, columns: readonly TreeFunction[][]): TreeTensor {
  const length = tensor.shape[axis]!;
  const inner = innerCount(tensor, axis);
  const placed: TreeFunction[] = new Array<TreeFunction>(tensor.columns.length);
  columns.forEach((group, number) => {
    const start = Math.floor(number / inner) * length * inner + (number % inner);
    group.forEach((column, index) => (placed[start + index * inner] = column));
  });
  return { ...tensor, columns: placed };
}

/**
 * Broadcasts a tensor of a fixed shape over the columns of another, as NumPy does; undefined when it differs by row or
 * would make the other tensor larger.
 * @returns one value per column
 */
export function broadcast<Value>(
  tensor: TreeTensor,
  shape: readonly number[],
  values: ArrayLike<Value>,
): Value[] | undefined {
  const rank = tensor.shape.length;
  if (shape.length > rank) return undefined;
  const padded = [...new Array<number>(rank - shape.length).fill(1), ...shape];
  if (padded.some((length, place) => length !== 1 && length !== tensor.shape[place])) return undefined;
  const fixed = tensor.shape.map((length, place) => ({ length, place })).filter(({ length }) => length !== -1);
  return tensor.columns.map((_, column) => {
    let rest = column;
    let place = 0;
    let stride = 1;
    for (const { length, place: axis } of [...fixed].reverse()) {
      if (padded[axis] !== 1) place += (rest % length) * stride;
      stride *= padded[axis]!;
      rest = Math.floor(rest / length);
    }
    return values[place]!;
  });
}

/** Counts the elements of the dimensions after one. */
function innerCount({ shape }: TreeTensor, axis: number): number {
  return product(shape.slice(axis + 1).filter((length) => length !== rowsDimension));
}

export function product(lengths: readonly number[]): number {
  return lengths.reduce((total, length) => total * length, 1);
}
