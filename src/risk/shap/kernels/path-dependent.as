// AssemblyScript, compiled by build.mjs into path-dependent.generated.ts. The host imports the memory and lays it out.
//
// The kernel sends one row through one tree, at `2 x PAIRS` quadrature nodes in parallel. t is the chance that a
// feature is known, and z is the cover fraction of a side:
//   mass(n)  quadrature weight x product of the factors on the path to split n. A factor is t + (1 - t) z on the side
//            that the row takes, and (1 - t) z on the other side
//   below(n) the same sum of products over the leaves under n, without the path to n
// The way down fills `mass`, the way up fills `below`. h is the child that the row takes, c the other, and s = 1 - t:
//   change   = (1 - z(h)) below(h) - z(c) below(c)
//   below(n) = below(h) - s change            mass(h) = mass(n) - s (1 - z(h)) mass(n)
//   SHAP    += sum over nodes of mass(n) change                    mass(c) = s z(c) mass(n)
// A split whose feature was split on above replaces the factor of the split above. Then s and the scale of `change`
// come from a table (`Rule`). If the row left the feature's path above, the children are averaged: s = 1, scale = 0.

/** Address of a rule: s for every quadrature node, then the scale of `change` for every quadrature node. */
type Rule = usize;

/**
 * A split with another split below it. Fields that depend on the outcome stand side by side: first for a row that
 * passes, then for one that fails. So one address, the struct's own + 8 x outcome, leads to all of them.
 */
@unmanaged class Joint {
  threshold: f64;
  /** Offset of the tested value in the row, and of the feature's SHAP sum. */
  value: u32;
  shap: u32;
  /** 1 - z of the child that the row takes, and z of the other. */
  passLoss: f64;
  failLoss: f64;
  passOther: f64;
  failOther: f64;
  /** Addresses of the records of the child that the row takes, and of the other. */
  passTaken: u32;
  passLeft: u32;
  failTaken: u32;
  failLeft: u32;
}

/** A joint whose feature is split on above. */
@unmanaged class RepeatedJoint extends Joint {
  /** Address of the outcome of the nearest split above on the same feature, and the side of it this split is on. */
  earlier: u32;
  side: u32;
  rule: u32;
  unused: u32;
}

/** A split into two leaves. */
@unmanaged class Fork {
  threshold: f64;
  value: u32;
  shap: u32;
  /** Weight of the leaf that the row takes, and its change, by outcome. */
  passWeight: f64;
  failWeight: f64;
  passChange: f64;
  failChange: f64;
}

/** A fork whose feature is split on above. */
@unmanaged class RepeatedFork extends Fork {
  earlier: u32;
  side: u32;
  rule: u32;
  unused: u32;
}

@unmanaged class Tree {
  /**
   * Joints in runs, parents before children: splits whose feature is not split on above, then splits whose feature is.
   */
  joints: u32;
  runs: u32;
  runCount: u32;
  /** Forks, in one run of each kind. */
  forks: u32;
  plainForkCount: u32;
  repeatedForkCount: u32;
  /** Quadrature weights, the mass of the root. */
  weights: u32;
  /** Rule of a split whose feature is not split on above; its scales are 1. */
  plain: u32;
  /** Rule of a split below a split on the same feature at which the row left the path. */
  lost: u32;
}

// Scratch memory of one tree: the records of the joints, then those of the forks. A record is the mass of a split, 16 x
// PAIRS bytes. The record of a joint ends with its outcome, in 16 bytes more. The below of a split follows its mass, and
// so overwrites the outcome and the next record. Splits are left in reverse order, so what it overwrites is no longer
// read. That keeps the scratch memory of most trees in the first-level cache. A leaf below a joint has a record too, with
// a place of its own for each, of which only `below` is read.

@inline function at(vectors: usize, pair: i32): v128 { return v128.load(vectors + (pair << 4)); }
@inline function put(vectors: usize, pair: i32, value: v128): void { v128.store(vectors + (pair << 4), value); }
@inline function add(a: v128, b: v128): v128 { return f64x2.add(a, b); }
@inline function sub(a: v128, b: v128): v128 { return f64x2.sub(a, b); }
@inline function mul(a: v128, b: v128): v128 { return f64x2.mul(a, b); }

/** Returns 1 when the row fails the test. A missing value (NaN) fails. */
@inline function failsAt(values: usize, value: u32, threshold: f64): u32 { return u32(!(load<f64>(values + value) <= threshold)); }

/** Returns 2 when the row left the path at an earlier split on the same feature. */
@inline function leftAbove(earlier: u32, side: u32): u32 { return u32(load<u32>(earlier) != side) << 1; }

/** Returns the address from which the fields of an outcome are found. */
@inline function sideOf(split: usize, fails: u32): usize { return split + (fails << 3); }

/**
 * Computes on one pair of quadrature nodes, as the two functions after it do. They are called once for each pair:
 * neither compiler unrolls a loop. PAIRS and PLAIN are constants to both. PLAIN: the feature is not split on above; s
 * is given and the scale is 1. Otherwise both come from the rule. `record`, `taken` and `left` are records.
 */
@inline function descendPair(PLAIN: bool, pair: i32, s: v128, rule: Rule, record: usize, taken: usize, left: usize, loss: v128, other: v128): void {
  const own = at(record, pair);
  const scaled = PLAIN ? mul(own, s) : mul(own, at(rule, pair));
  put(taken, pair, sub(own, mul(scaled, loss)));
  put(left, pair, mul(scaled, other));
}

@inline function ascendPair(PAIRS: i32, PLAIN: bool, pair: i32, s: v128, rule: Rule, record: usize, taken: usize, left: usize, loss: v128, other: v128): v128 {
  const kept = at(taken, PAIRS + pair);
  const change = sub(mul(kept, loss), mul(at(left, PAIRS + pair), other));
  put(record, PAIRS + pair, sub(kept, PLAIN ? mul(s, change) : mul(at(rule, pair), change)));
  const gained = mul(at(record, pair), change);
  return PLAIN ? gained : mul(gained, at(rule, PAIRS + pair));
}

@inline function turnPair(PAIRS: i32, PLAIN: bool, pair: i32, s: v128, rule: Rule, record: usize, kept: v128, change: v128): v128 {
  put(record, PAIRS + pair, sub(kept, PLAIN ? mul(s, change) : mul(at(rule, pair), change)));
  return PLAIN ? at(record, pair) : mul(at(record, pair), at(rule, PAIRS + pair));
}

@inline function descend(PAIRS: i32, PLAIN: bool, s0: v128, s1: v128, s2: v128, s3: v128, rule: Rule, side: usize, record: usize): void {
  const loss = v128.load64_splat(side, offsetof<Joint>("passLoss"));
  const other = v128.load64_splat(side, offsetof<Joint>("passOther"));
  const taken: usize = load<u32>(side, offsetof<Joint>("passTaken"));
  const left: usize = load<u32>(side, offsetof<Joint>("passLeft"));
  descendPair(PLAIN, 0, s0, rule, record, taken, left, loss, other);
  if (PAIRS > 1) descendPair(PLAIN, 1, s1, rule, record, taken, left, loss, other);
  if (PAIRS > 2) descendPair(PLAIN, 2, s2, rule, record, taken, left, loss, other);
  if (PAIRS > 3) descendPair(PLAIN, 3, s3, rule, record, taken, left, loss, other);
}

@inline function ascend(PAIRS: i32, PLAIN: bool, s0: v128, s1: v128, s2: v128, s3: v128, rule: Rule, side: usize, record: usize, shap: usize): void {
  const loss = v128.load64_splat(side, offsetof<Joint>("passLoss"));
  const other = v128.load64_splat(side, offsetof<Joint>("passOther"));
  const taken: usize = load<u32>(side, offsetof<Joint>("passTaken"));
  const left: usize = load<u32>(side, offsetof<Joint>("passLeft"));
  let sum = ascendPair(PAIRS, PLAIN, 0, s0, rule, record, taken, left, loss, other);
  if (PAIRS > 1) sum = add(sum, ascendPair(PAIRS, PLAIN, 1, s1, rule, record, taken, left, loss, other));
  if (PAIRS > 2) sum = add(sum, ascendPair(PAIRS, PLAIN, 2, s2, rule, record, taken, left, loss, other));
  if (PAIRS > 3) sum = add(sum, ascendPair(PAIRS, PLAIN, 3, s3, rule, record, taken, left, loss, other));
  accumulate(shap, sum);
}

@inline function turn(PAIRS: i32, PLAIN: bool, s0: v128, s1: v128, s2: v128, s3: v128, rule: Rule, side: usize, record: usize, shap: usize): void {
  const kept = v128.load64_splat(side, offsetof<Fork>("passWeight"));
  const change = v128.load64_splat(side, offsetof<Fork>("passChange"));
  let sum = turnPair(PAIRS, PLAIN, 0, s0, rule, record, kept, change);
  if (PAIRS > 1) sum = add(sum, turnPair(PAIRS, PLAIN, 1, s1, rule, record, kept, change));
  if (PAIRS > 2) sum = add(sum, turnPair(PAIRS, PLAIN, 2, s2, rule, record, kept, change));
  if (PAIRS > 3) sum = add(sum, turnPair(PAIRS, PLAIN, 3, s3, rule, record, kept, change));
  accumulate(shap, mul(sum, change));
}

@inline function accumulate(shap: usize, change: v128): void { v128.store(shap, add(v128.load(shap), change)); }

@inline function explainTree(PAIRS: i32, tree: Tree, scratch: usize, values: usize, shap: usize): void {
  const size: usize = PAIRS << 4;
  const jointSize: usize = size + 16;
  const lost: usize = tree.lost;
  const plain: usize = tree.plain;
  const s0 = at(plain, 0);
  const s1 = PAIRS > 1 ? at(plain, 1) : s0;
  const s2 = PAIRS > 2 ? at(plain, 2) : s0;
  const s3 = PAIRS > 3 ? at(plain, 3) : s0;
  const runsEnd: usize = tree.runs + (tree.runCount << 3);
  let joint: usize = tree.joints;
  let record: usize = scratch;
  for (let run: usize = tree.runs; run < runsEnd; run += 8) {
    for (const end = joint + load<u32>(run) * offsetof<Joint>(); joint < end; joint += offsetof<Joint>()) {
      const split = changetype<Joint>(joint);
      const fails = failsAt(values, split.value, split.threshold);
      store<u32>(record + size, fails);
      descend(PAIRS, true, s0, s1, s2, s3, 0, sideOf(joint, fails), record);
      record += jointSize;
    }
    for (const end = joint + load<u32>(run, 4) * offsetof<RepeatedJoint>(); joint < end; joint += offsetof<RepeatedJoint>()) {
      const split = changetype<RepeatedJoint>(joint);
      const fails = failsAt(values, split.value, split.threshold);
      const left = leftAbove(split.earlier, split.side);
      store<u32>(record + size, fails | left);
      descend(PAIRS, false, s0, s1, s2, s3, left ? lost : usize(split.rule), sideOf(joint, fails), record);
      record += jointSize;
    }
  }

  const joints = record;
  const forks: usize = tree.forks;
  const plainForksEnd: usize = forks + tree.plainForkCount * offsetof<Fork>();
  let fork: usize = plainForksEnd + tree.repeatedForkCount * offsetof<RepeatedFork>();
  record += (tree.plainForkCount + tree.repeatedForkCount) * size;
  while (fork > plainForksEnd) {
    fork -= offsetof<RepeatedFork>();
    record -= size;
    const split = changetype<RepeatedFork>(fork);
    const rule = leftAbove(split.earlier, split.side) ? lost : usize(split.rule);
    turn(PAIRS, false, s0, s1, s2, s3, rule, sideOf(fork, failsAt(values, split.value, split.threshold)), record, shap + split.shap);
  }
  while (fork > forks) {
    fork -= offsetof<Fork>();
    record -= size;
    const split = changetype<Fork>(fork);
    turn(PAIRS, true, s0, s1, s2, s3, 0, sideOf(fork, failsAt(values, split.value, split.threshold)), record, shap + split.shap);
  }

  record = joints;
  for (let run: usize = runsEnd; run > tree.runs;) {
    run -= 8;
    for (const start = joint - load<u32>(run, 4) * offsetof<RepeatedJoint>(); joint > start;) {
      joint -= offsetof<RepeatedJoint>();
      record -= jointSize;
      const split = changetype<RepeatedJoint>(joint);
      const outcome = load<u32>(record + size);
      ascend(PAIRS, false, s0, s1, s2, s3, outcome > 1 ? lost : usize(split.rule), sideOf(joint, outcome & 1), record, shap + split.shap);
    }
    for (const start = joint - load<u32>(run) * offsetof<Joint>(); joint > start;) {
      joint -= offsetof<Joint>();
      record -= jointSize;
      ascend(PAIRS, true, s0, s1, s2, s3, 0, sideOf(joint, load<u32>(record + size)), record, shap + changetype<Joint>(joint).shap);
    }
  }
}

@inline function explainRows(PAIRS: i32, trees: usize, treeCount: u32, scratch: usize, rows: usize, rowSize: usize, rowCount: usize, shaps: usize, shapSize: usize): void {
  for (let index: u32 = 0; index < treeCount; index++) {
    const tree = changetype<Tree>(trees + index * offsetof<Tree>());
    for (let pair = 0; pair < PAIRS; pair++) put(scratch, pair, at(tree.weights, pair));
    for (let row: usize = 0; row < rowCount; row++) {
      explainTree(PAIRS, tree, scratch, rows + row * rowSize, shaps + row * shapSize);
    }
  }
}

/** Adds the SHAP values of every row for trees with 2 quadrature nodes. Each SHAP sum is two numbers to be added. */
export function explain2(trees: usize, treeCount: u32, scratch: usize, rows: usize, rowSize: usize, rowCount: usize, shaps: usize, shapSize: usize): void {
  explainRows(1, trees, treeCount, scratch, rows, rowSize, rowCount, shaps, shapSize);
}
export function explain4(trees: usize, treeCount: u32, scratch: usize, rows: usize, rowSize: usize, rowCount: usize, shaps: usize, shapSize: usize): void {
  explainRows(2, trees, treeCount, scratch, rows, rowSize, rowCount, shaps, shapSize);
}
export function explain6(trees: usize, treeCount: u32, scratch: usize, rows: usize, rowSize: usize, rowCount: usize, shaps: usize, shapSize: usize): void {
  explainRows(3, trees, treeCount, scratch, rows, rowSize, rowCount, shaps, shapSize);
}
export function explain8(trees: usize, treeCount: u32, scratch: usize, rows: usize, rowSize: usize, rowCount: usize, shaps: usize, shapSize: usize): void {
  explainRows(4, trees, treeCount, scratch, rows, rowSize, rowCount, shaps, shapSize);
}
