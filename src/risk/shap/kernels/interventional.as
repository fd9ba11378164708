// AssemblyScript, compiled by build.mjs into interventional.generated.ts. The memory is imported and laid out by the host.
//
// One row against up to 128 background rows at once, a background row being one bit of a set. For one background row b, a
// coalition reaches a leaf exactly when it holds every feature that only the row satisfies on the path (`own`, a of them) and
// none that only b satisfies (`lost`, c of them); where neither satisfies a feature no coalition does. A leaf of weight w so gives
// each own feature w W(a - 1, c) and each lost one -w W(a, c - 1), W(a, c) = a! c! / (a + c + 1)!.
// Going down a tree, `alive` holds the background rows that can still reach the leaf, parted by their a into counts[0..most];
// lost is the same for all. What an own feature gets is summed over the rows that do not satisfy it (`mismatch`).

/** A set of background rows. */
type Set = v128;

@unmanaged class Split {
  threshold: f64;
  /** Offset of the tested value in the row, and of the feature's SHAP sum. */
  value: u32;
  shap: u32;
  /** Addresses of the children; those of leaves, which are weights, have the lowest bit set. */
  passChild: u32;
  failChild: u32;
  /** Offset of the sets of background rows that satisfy all conditions of this feature on the path to each child. */
  masks: u32;
  /** Address of the `state` of the nearest split above on the same feature, or of a word that says FRESH. */
  earlier: u32;
  /** What the row did with the feature at this split: LOST, FRESH (satisfied by every row alive), or its place among the own. */
  state: i32;
  unused: u32;
}

const LOST: i32 = -1;
const FRESH: i32 = -2;

/** Where things are while a tree is gone through; set by `explain`. */
let values: usize = 0;
let shaps: usize = 0;
let masksOfBlock: usize = 0;
/** W(a, c) at weights + a x weightsRow + 8 c; 0 where a or c is -1. */
let weights: usize = 0;
let weightsRow: usize = 0;
/** A set and the address of a SHAP sum for each own feature of the path. */
let mismatches: usize = 0;
let owners: usize = 0;
/** Weight of the leaf that the row reaches from the child followed last. */
let reached: f64 = 0;

@inline function size(counts: usize): i32 {
  return i32(popcnt(load<u64>(counts)) + popcnt(load<u64>(counts, 8)));
}

@inline function sizeOfBoth(counts: usize, others: usize): i32 {
  return i32(popcnt(load<u64>(counts) & load<u64>(others)) + popcnt(load<u64>(counts, 8) & load<u64>(others, 8)));
}

@inline function addTo(sum: usize, value: f64): void { store<f64>(sum, load<f64>(sum) + value); }

/** W(place of the set, c) x the size of the set within `mismatch`. */
@inline function gain(set: usize, mismatch: usize, share: usize): f64 {
  return load<f64>(share) * f64(sizeOfBoth(set, mismatch));
}

/** Credits the own features, when the largest count is MOST (4: at least 4). Written out, since the processor mispredicts the end of so short a loop. */
@inline function creditOwn(MOST: i32, weight: f64, counts: usize, most: i32, owned: i32, share: usize): void {
  const row = weightsRow;
  for (let place = 0; place < owned; place++) {
    const mismatch = mismatches + (place << 4);
    let gained = gain(counts + 16, mismatch, share);
    if (MOST > 1) gained += gain(counts + 32, mismatch, share + row);
    if (MOST > 2) gained += gain(counts + 48, mismatch, share + 2 * row);
    if (MOST > 3) {
      for (let count = 4; count <= most; count++) gained += gain(counts + (count << 4), mismatch, share + (count - 1) * row);
    }
    addTo(load<u32>(owners + (place << 2)), weight * gained);
  }
}

/**
 * Credits the own features of the path with a leaf of this weight.
 * @returns what each lost feature loses to it
 */
@inline function credit(weight: f64, counts: usize, most: i32, owned: i32, lost: i32): f64 {
  let share = weights + (lost << 3);
  if (most == 1) creditOwn(1, weight, counts, most, owned, share);
  else if (most == 2) creditOwn(2, weight, counts, most, owned, share);
  else if (most == 3) creditOwn(3, weight, counts, most, owned, share);
  else if (most > 3) creditOwn(4, weight, counts, most, owned, share);
  share -= 8;
  let taken = 0.0;
  for (let count = 0; count <= most; count++) {
    taken += load<f64>(share) * f64(size(counts + (count << 4)));
    share += weightsRow;
  }
  return weight * taken;
}

@inline function isLeaf(child: u32): bool { return bool(child & 1); }

/** Weight of the leaf that the row reaches below a child. */
function reach(child: u32): f64 {
  while (!isLeaf(child)) {
    const split = changetype<Split>(child);
    child = load<u32>(child + (u32(!(load<f64>(values + split.value) <= split.threshold)) << 2), offsetof<Split>("passChild"));
  }
  return load<f64>(child - 1);
}

/** Leaves `reached` behind. @returns what each lost feature of the path loses below, beyond the leaf reached */
@inline function follow(child: u32, alive: Set, counts: usize, most: i32, owned: i32, lost: i32): f64 {
  if (!isLeaf(child)) return visit(child, alive, counts, most, owned, lost);
  reached = load<f64>(child - 1);
  return 0;
}

/** The counts of those rows alone that are in `mask`. @returns their address, after the given ones */
@inline function filter(counts: usize, most: i32, mask: Set): usize {
  const next = counts + ((most + 1) << 4);
  for (let offset: usize = 0; offset <= usize(most << 4); offset += 16) v128.store(next + offset, v128.and(v128.load(counts + offset), mask));
  return next;
}

/**
 * The child that the row does not take, for the background rows that do: they add the difference that it makes to the leaf
 * reached. @returns what each lost feature of the path loses, this split's own included when it counts in `lost`
 */
@inline function deviate(child: u32, mask: Set, alive: Set, counts: usize, most: i32, owned: i32, lost: i32, usual: f64): f64 {
  const rest = v128.and(alive, mask);
  if (!v128.any_true(rest)) return 0;
  const next = filter(counts, most, mask);
  const below = follow(child, rest, next, most, owned, lost);
  return below + credit(reached - usual, next, most, owned, lost);
}

/** A split whose feature is lost above: every background row goes its own way. Leaves `reached` behind. */
function part(taken: u32, takenMask: Set, other: u32, otherMask: Set, alive: Set, counts: usize, most: i32, owned: i32, lost: i32): f64 {
  let total = 0.0;
  const rest = v128.and(alive, takenMask);
  if (!isLeaf(taken) && v128.any_true(rest)) total = visit(taken, rest, filter(counts, most, takenMask), most, owned, lost);
  else reached = reach(taken);
  const usual = reached;
  total += deviate(other, otherMask, alive, counts, most, owned, lost, usual);
  reached = usual;
  return total;
}

/**
 * The expectation below a split is the weight of the leaf the row reaches, plus at every split passed what the background
 * rows change that go the other way there. The leaf alone depends on no feature, so only the changes are credited.
 * Leaves `reached` behind. @returns what each lost feature of the path to this split loses below
 */
function visit(address: usize, alive: Set, counts: usize, most: i32, owned: i32, lost: i32): f64 {
  const split = changetype<Split>(address);
  const fails = u32(!(load<f64>(values + split.value) <= split.threshold));
  const masks = masksOfBlock + split.masks;
  const takenMask = v128.load(masks + (fails << 4));
  const otherMask = v128.load(masks + ((fails ^ 1) << 4));
  const taken = load<u32>(address + (fails << 2), offsetof<Split>("passChild"));
  const other = load<u32>(address + ((fails ^ 1) << 2), offsetof<Split>("passChild"));
  const before = load<i32>(split.earlier);
  if (before == LOST) {
    split.state = LOST;
    return part(taken, takenMask, other, otherMask, alive, counts, most, owned, lost);
  }

  let total = 0.0;
  if (isLeaf(taken)) {
    reached = load<f64>(taken - 1);
  } else {
    const mismatch = v128.andnot(alive, takenMask);
    const known = before == FRESH ? mismatch : v128.andnot(mismatch, v128.load(mismatches + (before << 4)));
    if (v128.any_true(known)) {
      const next = counts + ((most + 1) << 4);
      let lower = f64x2.splat(0);
      for (let offset: usize = 0; offset <= usize(most << 4); offset += 16) {
        const own = v128.load(counts + offset);
        v128.store(next + offset, v128.bitselect(lower, own, known));
        lower = own;
      }
      v128.store(next + ((most + 1) << 4), v128.and(lower, known));
      const place = before == FRESH ? owned : before;
      const set = mismatches + (place << 4);
      const saved = v128.load(set);
      v128.store(set, mismatch);
      store<u32>(owners + (place << 2), u32(shaps + split.shap));
      split.state = place;
      total = visit(taken, alive, next, most + 1, owned + i32(before == FRESH), lost);
      v128.store(set, saved);
    } else {
      split.state = before;
      total = visit(taken, alive, counts, most, owned, lost);
    }
  }

  const usual = reached;
  split.state = LOST;
  const left = deviate(other, otherMask, alive, counts, most, owned, lost + 1, usual);
  addTo(shaps + split.shap, -left);
  reached = usual;
  return total + left;
}

/** What `explain` works with. */
@unmanaged class Block {
  /** Base address of the masks, and the set of all its background rows (two words of 64). */
  masks: u32;
  weights: u32;
  weightsRow: u32;
  mismatches: u32;
  owners: u32;
  counts: u32;
  rows: u64;
  moreRows: u64;
}

/** Adds the SHAP values of every row, against the background rows of one block, for the trees whose roots (u32) are given. */
export function explain(roots: usize, treeCount: usize, block: usize, rows: usize, rowSize: usize, rowCount: usize, sums: usize, sumsSize: usize): void {
  const context = changetype<Block>(block);
  masksOfBlock = context.masks;
  weights = context.weights;
  weightsRow = context.weightsRow;
  mismatches = context.mismatches;
  owners = context.owners;
  const counts: usize = context.counts;
  const all = v128.load(block, offsetof<Block>("rows"));
  v128.store(counts, all);
  for (let tree: usize = 0; tree < treeCount; tree++) {
    const root: usize = load<u32>(roots + (tree << 2));
    for (let row: usize = 0; row < rowCount; row++) {
      values = rows + row * rowSize;
      shaps = sums + row * sumsSize;
      visit(root, all, counts, 0, 0, 0);
    }
  }
}
