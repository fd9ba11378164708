import { type Split, type SplitOrLeaf, type SplitTree, splitsOf } from './split-tree.js';
import type { WasmMemory } from './wasm-memory.js';

/** Background rows in one block: one per bit of a vector. */
const blockRows = 128;

interface PackedForest {
  /** Addresses of the kernel's `Block`s. */
  readonly blocks: readonly number[];
  /** [output]: address and count of the roots. */
  readonly forests: readonly { readonly address: number; readonly count: number }[];
}

/** Slot values of the background rows, row-major. */
interface BackgroundSlots {
  readonly values: Float64Array;
  readonly rows: number;
  readonly slots: number;
}

/** Sizes of the kernel's structures in bytes; see interventional.as. */
const sizes = { split: 40, state: 32, masks: 32, set: 16 };
const fresh = -2;

/** Writes the trees of every output in the form that the interventional kernel reads. */
export function packForests(
  memory: WasmMemory,
  outputs: readonly (readonly SplitTree[])[],
  background: BackgroundSlots,
): PackedForest {
  const splits = outputs.map((forest) => forest.map(splitsOf));
  const all = splits.flat(2);
  const room = kernelRoom(outputs.flat());
  const address = packSplits(memory, all);
  const scratch = {
    mismatches: memory.reserve(room.features * sizes.set),
    owners: memory.reserve(room.features * 4),
    counts: memory.reserve(room.counts * sizes.set),
  };
  const weights = packWeights(memory, room.features, background.rows);
  const blocks: number[] = [];
  for (let first = 0; first < background.rows; first += blockRows) {
    const count = Math.min(blockRows, background.rows - first);
    const masks = packMasks(memory, all, background, first, count);
    const block = memory.writeUint32([
      masks,
      weights.address,
      weights.rowSize,
      scratch.mismatches,
      scratch.owners,
      scratch.counts,
      ...bitSet(count, () => true),
    ]);
    blocks.push(block);
  }
  const forests = splits.map((forest) => ({
    address: memory.writeUint32(forest.map(([root]) => address.get(root!)!)),
    count: forest.length,
  }));
  return { blocks, forests };
}

/**
 * Walks the splits as the kernel does, and finds the most that it can need.
 * @returns `features`: places for own features, and the largest a and c of W(a, c); `counts`: sets of background rows on
 *   the kernel's stack. A level with n own features holds n + 1 sets.
 */
function kernelRoom(trees: readonly SplitTree[]): { features: number; counts: number } {
  // The kernel makes the one set of the root level even when there is no tree.
  const room = { features: 0, counts: 1 };
  function visit(tree: SplitOrLeaf, owned: number, start: number): void {
    const end = start + owned + 1;
    room.features = Math.max(room.features, owned);
    room.counts = Math.max(room.counts, end);
    if (typeof tree === 'number') return;
    for (const child of tree.children) visit(child, owned + (tree.earlier ? 0 : 1), end);
  }
  for (const { root } of trees) visit(root, 0, 0);
  return room;
}

function packSplits(memory: WasmMemory, splits: readonly Split[]): Map<Split, number> {
  const none = memory.writeUint32([fresh]);
  const first = memory.reserve(splits.length * sizes.split);
  const address = new Map(splits.map((split, index) => [split, first + index * sizes.split]));
  const leaves = splits.flatMap(({ children }) => children.filter((child) => typeof child === 'number'));
  let nextLeaf = memory.writeFloat64(leaves);
  splits.forEach((split, index) => {
    const own = address.get(split)!;
    memory.setFloat64(own, split.threshold);
    const children = split.children.map((child) => {
      if (typeof child !== 'number') return address.get(child)!;
      nextLeaf += 8;
      return nextLeaf - 8 + 1;
    });
    const earlier = split.earlier ? address.get(split.earlier.split)! + sizes.state : none;
    [split.slot * 8, split.feature * 8, ...children, index * sizes.masks, earlier].forEach((word, field) =>
      memory.setUint32(own + 8 + field * 4, word),
    );
  });
  return address;
}

/**
 * Writes the masks: two sets of background rows for each split, one per child. The rows of a set satisfy all conditions
 * of the split's feature on the path to the child.
 */
function packMasks(
  memory: WasmMemory,
  splits: readonly Split[],
  background: BackgroundSlots,
  first: number,
  count: number,
): number {
  const masks = memory.reserve(splits.length * sizes.masks);
  const place = new Map(splits.map((split, index) => [split, index * 8]));
  const words = memory.uint32(masks, splits.length * 8);
  const all = bitSet(count, () => true);
  // One slot after the other, so that a split reads its rows in sequence.
  const columns = new Float64Array(background.slots * count);
  for (let slot = 0; slot < background.slots; slot++)
    for (let row = 0; row < count; row++)
      columns[slot * count + row] = background.values[(first + row) * background.slots + slot]!;
  splits.forEach(({ slot, threshold, earlier }, index) => {
    const above = earlier ? place.get(earlier.split)! + earlier.side * 4 : -1;
    for (let word = 0; word < 4; word++) {
      let passing = 0;
      const end = Math.min(count, word * 32 + 32);
      for (let row = word * 32; row < end; row++)
        if (columns[slot * count + row]! <= threshold) passing |= 1 << (row & 31);
      const before = above < 0 ? all[word]! : words[above + word]!;
      words[index * 8 + word] = passing & before;
      words[index * 8 + 4 + word] = ~passing & before;
    }
  });
  return masks;
}

/**
 * Writes a! c! / (a + c + 1)!, divided by the number of background rows, for a and c from -1 to `features`. It is
 * 0 when one of them is -1.
 */
function packWeights(
  memory: WasmMemory,
  features: number,
  backgroundRows: number,
): { address: number; rowSize: number } {
  const width = features + 2;
  const table = new Float64Array(width * width);
  for (let own = 0; own <= features; own++) {
    for (let lost = 0; lost <= features; lost++) {
      const place = (own + 1) * width + lost + 1;
      table[place] = own === 0 ? 1 / ((lost + 1) * backgroundRows) : (table[place - width]! * own) / (own + lost + 1);
    }
  }
  return { address: memory.writeFloat64(table) + (width + 1) * 8, rowSize: width * 8 };
}

/** Makes the words of a set of up to 128 rows. */
function bitSet(count: number, contains: (row: number) => boolean): number[] {
  const words = [0, 0, 0, 0];
  for (let row = 0; row < count; row++)
    if (contains(row)) words[row >> 5] = (words[row >> 5]! | (1 << (row & 31))) >>> 0;
  return words;
}
