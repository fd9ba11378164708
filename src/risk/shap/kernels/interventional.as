// AssemblyScript, compiled by build.mjs into interventional.generated.ts. The host imports the memory and lays it out.
//
// The kernel explains one row against up to 128 background rows at once. Each background row is one bit of a set.
//
// 1. Take one background row b and the path to a leaf. A feature is `own` when only the explained row satisfies its
//    conditions on the path, and `lost` when only b does. There are a own and c lost features.
// 2. A coalition reaches the leaf exactly when it has every own feature and no lost one. If neither row satisfies a
//    feature, no coalition reaches the leaf.
// 3. So a leaf of weight w gives each own feature w W(a - 1, c) and each lost feature -w W(a, c - 1), where
//    W(a, c) = a! c! / (a + c + 1)!.
// 4. On the way down a tree, `alive` holds the background rows that can still reach the leaf. counts[0..owned] divides
//    them by their a. No row has more own features than the path, so there are `owned + 1` sets at every split. The
//    lost features are the same for all of them.
// 5. The credit of an own feature is summed over the background rows that do not satisfy it (`mismatch`).
//
// Memory: `owned` and `lost` are at most the different features of the path. Each level of the walk keeps its sets of
// counts after those of the level above. `kernelRoom` in interventional-layout.ts walks the splits in the same way, and
// reserves what it passes.

/** A set of background rows. */
type Set = v128;

@unmanaged class Split {
  threshold: f64;
  /** Offset of the tested value in the row, and of the feature's SHAP sum. */
  value: u32;
  shap: u32;
  /** Addresses of the children. A leaf is a weight; its address has the lowest bit set. */
  passChild: u32;
  failChild: u32;
  /** Offset of the sets of background rows that satisfy all conditions of this feature on the path to each child. */
  masks: u32;
  /** Address of the `state` of the nearest split above on the same feature, or of a word that says FRESH. */
  earlier: u32;
  /** State of the feature at this split: LOST, FRESH (satisfied by every row alive), or its position among the own. */
  state: i32;
  unused: u32;
}

const LOST: i32 = -1;
const FRESH: i32 = -2;

/** Addresses for the walk of a tree. `explain` sets them. */
let values: usize = 0;
let shaps: usize = 0;
let masksOfBlock: usize = 0;
/** Address of W: W(a, c) is at weights + a x weightsRow + 8 c. It is 0 when a or c is -1. */
let weights: usize = 0;
let weightsRow: usize = 0;
/** For each own feature of the path: a set, and the address of a SHAP sum. */
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

/** Computes W(position of the set, c) x the size of the set within `mismatch`. */
@inline function gain(set: usize, mismatch: usize, share: usize): f64 {
  return load<f64>(share) * f64(sizeOfBoth(set, mismatch));
}

/**
 * Credits the own features when there are OWNED of them (4: at least 4). The loop is written out: the processor
 * mispredicts the end of such a short loop.
 */
@inline function creditOwn(OWNED: i32, weight: f64, counts: usize, owned: i32, share: usize): void {
  const row = weightsRow;
  for (let place = 0; place < owned; place++) {
    const mismatch = mismatches + (place << 4);
    let gained = gain(counts + 16, mismatch, share);
    if (OWNED > 1) gained += gain(counts + 32, mismatch, share + row);
    if (OWNED > 2) gained += gain(counts + 48, mismatch, share + 2 * row);
    if (OWNED > 3) {
      for (let count = 4; count <= owned; count++) gained += gain(counts + (count << 4), mismatch, share + (count - 1) * row);
    }
    addTo(load<u32>(owners + (place << 2)), weight * gained);
  }
}

/**
 * Credits the own features of the path with a leaf of this weight.
 * @returns the loss of each lost feature at this leaf
 */
@inline function credit(weight: f64, counts: usize, owned: i32, lost: i32): f64 {
  let share = weights + (lost << 3);
  if (owned == 1) creditOwn(1, weight, counts, owned, share);
  else if (owned == 2) creditOwn(2, weight, counts, owned, share);
  else if (owned == 3) creditOwn(3, weight, counts, owned, share);
  else if (owned > 3) creditOwn(4, weight, counts, owned, share);
  share -= 8;
  let taken = 0.0;
  for (let count = 0; count <= owned; count++) {
    taken += load<f64>(share) * f64(size(counts + (count << 4)));
    share += weightsRow;
  }
  return weight * taken;
}

@inline function isLeaf(child: u32): bool { return bool(child & 1); }

/** Finds the weight of the leaf that the row reaches below a child. */
function reach(child: u32): f64 {
  while (!isLeaf(child)) {
    const split = changetype<Split>(child);
    child = load<u32>(child + (u32(!(load<f64>(values + split.value) <= split.threshold)) << 2), offsetof<Split>("passChild"));
  }
  return load<f64>(child - 1);
}

/** Sets `reached`. @returns the loss of each lost feature of the path below the child, beyond the leaf reached */
@inline function follow(child: u32, alive: Set, counts: usize, owned: i32, lost: i32): f64 {
  if (!isLeaf(child)) return visit(child, alive, counts, owned, lost);
  reached = load<f64>(child - 1);
  return 0;
}

/** Makes the counts of only the rows in `mask`. @returns their address, after the given counts */
@inline function filter(counts: usize, owned: i32, mask: Set): usize {
  const next = counts + ((owned + 1) << 4);
  for (let offset: usize = 0; offset <= usize(owned << 4); offset += 16) v128.store(next + offset, v128.and(v128.load(counts + offset), mask));
  return next;
}

/**
 * Visits the child that the row does not take, for the background rows that take it. They add its difference to the
 * leaf reached. @returns the loss of each lost feature of the path; this split's feature is included if it counts in
 * `lost`
 */
@inline function deviate(child: u32, mask: Set, alive: Set, counts: usize, owned: i32, lost: i32, usual: f64): f64 {
  const rest = v128.and(alive, mask);
  if (!v128.any_true(rest)) return 0;
  const next = filter(counts, owned, mask);
  const below = follow(child, rest, next, owned, lost);
  return below + credit(reached - usual, next, owned, lost);
}

/** Visits a split whose feature is lost above. Every background row goes to its own side. Sets `reached`. */
function part(taken: u32, takenMask: Set, other: u32, otherMask: Set, alive: Set, counts: usize, owned: i32, lost: i32): f64 {
  let total = 0.0;
  const rest = v128.and(alive, takenMask);
  if (!isLeaf(taken) && v128.any_true(rest)) total = visit(taken, rest, filter(counts, owned, takenMask), owned, lost);
  else reached = reach(taken);
  const usual = reached;
  total += deviate(other, otherMask, alive, counts, owned, lost, usual);
  reached = usual;
  return total;
}

/**
 * Visits a split. The expectation below it is the weight of the leaf that the row reaches, plus the changes at every
 * split passed. A change comes from the background rows that go the other way there. The leaf alone depends on no
 * feature, so only the changes are credited. Sets `reached`. @returns the loss of each lost feature of the path to this
 * split, below it
 */
function visit(address: usize, alive: Set, counts: usize, owned: i32, lost: i32): f64 {
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
    return part(taken, takenMask, other, otherMask, alive, counts, owned, lost);
  }

  let total = 0.0;
  if (isLeaf(taken)) {
    reached = load<f64>(taken - 1);
  } else {
    const mismatch = v128.andnot(alive, takenMask);
    const known = before == FRESH ? mismatch : v128.andnot(mismatch, v128.load(mismatches + (before << 4)));
    if (v128.any_true(known)) {
      const next = counts + ((owned + 1) << 4);
      let lower = f64x2.splat(0);
      for (let offset: usize = 0; offset <= usize(owned << 4); offset += 16) {
        const own = v128.load(counts + offset);
        v128.store(next + offset, v128.bitselect(lower, own, known));
        lower = own;
      }
      let place = before;
      let ownedBelow = owned;
      if (before == FRESH) {
        place = owned;
        ownedBelow++;
        v128.store(next + (ownedBelow << 4), v128.and(lower, known));
      }
      const set = mismatches + (place << 4);
      const saved = v128.load(set);
      v128.store(set, mismatch);
      store<u32>(owners + (place << 2), u32(shaps + split.shap));
      split.state = place;
      total = visit(taken, alive, next, ownedBelow, lost);
      v128.store(set, saved);
    } else {
      split.state = before;
      total = visit(taken, alive, counts, owned, lost);
    }
  }

  const usual = reached;
  split.state = LOST;
  const left = deviate(other, otherMask, alive, counts, owned, lost + 1, usual);
  addTo(shaps + split.shap, -left);
  reached = usual;
  return total + left;
}

/** The data of one block of background rows. */
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

/**
 * Adds the SHAP values of every row against the background rows of one block. `roots`: the roots of the trees (u32).
 */
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
      visit(root, all, counts, 0, 0);
    }
  }
}
