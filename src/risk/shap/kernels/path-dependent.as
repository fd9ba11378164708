// AssemblyScript, compiled by build.mjs into path-dependent.generated.ts. The memory is imported and laid out by the host.
//
// One row through one tree, at `2 x PAIRS` quadrature nodes side by side. With t the chance that a feature is known:
//   mass(n)  quadrature weight x product over the path to split n of its factors: t + (1 - t) z on the side the row takes,
//            (1 - t) z on the other, z the cover fraction of the side
//   below(n) the same sum of products over the leaves under n, the path to n left out
// Going down fills `mass`, coming up fills `below`. With h the child the row takes, c the other, s = 1 - t:
//   change   = (1 - z(h)) below(h) - z(c) below(c)
//   below(n) = below(h) - s change            mass(h) = mass(n) - s (1 - z(h)) mass(n)
//   SHAP    += sum over nodes of mass(n) change                    mass(c) = s z(c) mass(n)
// A split whose feature was split on above replaces that split's factor: s and the scale of `change` then come from a table
// (`Rule`), and where the row left the feature's path above, both children are simply averaged: s = 1, scale = 0.

/** s for every quadrature node, then the scale of `change` for every quadrature node. */
type Rule = usize;

/** A split with another split below it. */
@unmanaged class Joint {
  threshold: f64;
  passFraction: f64;
  failFraction: f64;
  /** Addresses of the children's `below` and `mass`. */
  passBelow: u32;
  failBelow: u32;
  passMass: u32;
  failMass: u32;
  /** Offset of the tested value in the row, and of the feature's SHAP sum. */
  value: u32;
  shap: u32;
  /** Address of the outcome of the nearest split above on the same feature, and the side of it this split is on. */
  earlier: u32;
  side: u32;
  rule: u32;
  unused: u32;
}

/** A split into two leaves. */
@unmanaged class Fork {
  threshold: f64;
  /** Weight of the leaf the row takes, and the change it makes, by outcome. */
  passWeight: f64;
  failWeight: f64;
  passChange: f64;
  failChange: f64;
  value: u32;
  shap: u32;
  earlier: u32;
  side: u32;
  rule: u32;
  unused: u32;
}

@unmanaged class Tree {
  joints: u32;
  jointCount: u32;
  forks: u32;
  forkCount: u32;
  /** Quadrature weights, the mass of the root. */
  weights: u32;
  /** Rule of a split whose feature the row has left the path of. */
  lost: u32;
}

/** Scratch memory of one tree: outcomes (u32 a split), masses and belows (16 x PAIRS bytes a split). */
@unmanaged class Scratch {
  outcomes: u32;
  masses: u32;
  belows: u32;
}

@inline function at(vectors: usize, pair: i32): v128 { return v128.load(vectors + (pair << 4)); }
@inline function put(vectors: usize, pair: i32, value: v128): void { v128.store(vectors + (pair << 4), value); }
@inline function add(a: v128, b: v128): v128 { return f64x2.add(a, b); }
@inline function sub(a: v128, b: v128): v128 { return f64x2.sub(a, b); }
@inline function mul(a: v128, b: v128): v128 { return f64x2.mul(a, b); }

/** 0: passes; 1: fails; + 2 where the row left the feature's path at an earlier split. Missing (NaN) fails. */
@inline function outcomeOf(values: usize, value: u32, threshold: f64, earlier: u32, side: u32): u32 {
  const fails = u32(!(load<f64>(values + value) <= threshold));
  return fails | (u32(load<u32>(earlier) != side) << 1);
}

/** Calls are written out for each pair of quadrature nodes, because neither compiler unrolls a loop; PAIRS is known to both. */
@inline function descendPair(pair: i32, mass: usize, taken: usize, left: usize, rule: Rule, loss: v128, other: v128): void {
  const own = at(mass, pair);
  const scaled = mul(own, at(rule, pair));
  put(taken, pair, sub(own, mul(scaled, loss)));
  put(left, pair, mul(scaled, other));
}

@inline function descend(PAIRS: i32, joint: usize, outcome: u32, mass: usize, rule: Rule): void {
  const fails = outcome & 1;
  const loss = f64x2.splat(1.0 - load<f64>(joint + (fails << 3), offsetof<Joint>("passFraction")));
  const other = f64x2.splat(load<f64>(joint + ((fails ^ 1) << 3), offsetof<Joint>("passFraction")));
  const taken: usize = load<u32>(joint + (fails << 2), offsetof<Joint>("passMass"));
  const left: usize = load<u32>(joint + ((fails ^ 1) << 2), offsetof<Joint>("passMass"));
  descendPair(0, mass, taken, left, rule, loss, other);
  if (PAIRS > 1) descendPair(1, mass, taken, left, rule, loss, other);
  if (PAIRS > 2) descendPair(2, mass, taken, left, rule, loss, other);
  if (PAIRS > 3) descendPair(3, mass, taken, left, rule, loss, other);
}

@inline function ascendPair(PAIRS: i32, pair: i32, mass: usize, below: usize, taken: usize, left: usize, rule: Rule, loss: v128, other: v128): v128 {
  const kept = at(taken, pair);
  const change = sub(mul(kept, loss), mul(at(left, pair), other));
  put(below, pair, sub(kept, mul(at(rule, pair), change)));
  return mul(mul(at(mass, pair), change), at(rule, PAIRS + pair));
}

@inline function ascend(PAIRS: i32, joint: usize, outcome: u32, mass: usize, below: usize, rule: Rule): v128 {
  const fails = outcome & 1;
  const loss = f64x2.splat(1.0 - load<f64>(joint + (fails << 3), offsetof<Joint>("passFraction")));
  const other = f64x2.splat(load<f64>(joint + ((fails ^ 1) << 3), offsetof<Joint>("passFraction")));
  const taken: usize = load<u32>(joint + (fails << 2), offsetof<Joint>("passBelow"));
  const left: usize = load<u32>(joint + ((fails ^ 1) << 2), offsetof<Joint>("passBelow"));
  let sum = ascendPair(PAIRS, 0, mass, below, taken, left, rule, loss, other);
  if (PAIRS > 1) sum = add(sum, ascendPair(PAIRS, 1, mass, below, taken, left, rule, loss, other));
  if (PAIRS > 2) sum = add(sum, ascendPair(PAIRS, 2, mass, below, taken, left, rule, loss, other));
  if (PAIRS > 3) sum = add(sum, ascendPair(PAIRS, 3, mass, below, taken, left, rule, loss, other));
  return sum;
}

@inline function turnPair(PAIRS: i32, pair: i32, mass: usize, below: usize, rule: Rule, kept: v128, change: v128): v128 {
  put(below, pair, sub(kept, mul(at(rule, pair), change)));
  return mul(at(mass, pair), at(rule, PAIRS + pair));
}

@inline function turn(PAIRS: i32, fork: usize, outcome: u32, mass: usize, below: usize, rule: Rule): v128 {
  const fails = outcome & 1;
  const kept = f64x2.splat(load<f64>(fork + (fails << 3), offsetof<Fork>("passWeight")));
  const change = f64x2.splat(load<f64>(fork + (fails << 3), offsetof<Fork>("passChange")));
  let sum = turnPair(PAIRS, 0, mass, below, rule, kept, change);
  if (PAIRS > 1) sum = add(sum, turnPair(PAIRS, 1, mass, below, rule, kept, change));
  if (PAIRS > 2) sum = add(sum, turnPair(PAIRS, 2, mass, below, rule, kept, change));
  if (PAIRS > 3) sum = add(sum, turnPair(PAIRS, 3, mass, below, rule, kept, change));
  return mul(sum, change);
}

@inline function accumulate(shap: usize, change: v128): void { v128.store(shap, add(v128.load(shap), change)); }

@inline function explainTree(PAIRS: i32, tree: Tree, scratch: Scratch, values: usize, shap: usize): void {
  const size: usize = PAIRS << 4;
  const lost: usize = tree.lost;
  const jointsEnd: usize = tree.joints + tree.jointCount * offsetof<Joint>();
  let joint: usize = tree.joints;
  let outcomes: usize = scratch.outcomes;
  let mass: usize = scratch.masses;
  let below: usize = scratch.belows;
  while (joint < jointsEnd) {
    const split = changetype<Joint>(joint);
    const outcome = outcomeOf(values, split.value, split.threshold, split.earlier, split.side);
    store<u32>(outcomes, outcome);
    descend(PAIRS, joint, outcome, mass, outcome > 1 ? lost : usize(split.rule));
    joint += offsetof<Joint>();
    outcomes += 4;
    mass += size;
    below += size;
  }
  const jointMassEnd = mass;
  const jointBelowEnd = below;
  const jointOutcomesEnd = outcomes;
  let fork: usize = tree.forks;
  const forksEnd: usize = fork + tree.forkCount * offsetof<Fork>();
  while (fork < forksEnd) {
    const split = changetype<Fork>(fork);
    const outcome = outcomeOf(values, split.value, split.threshold, split.earlier, split.side);
    accumulate(shap + split.shap, turn(PAIRS, fork, outcome, mass, below, outcome > 1 ? lost : usize(split.rule)));
    fork += offsetof<Fork>();
    mass += size;
    below += size;
  }
  mass = jointMassEnd;
  below = jointBelowEnd;
  outcomes = jointOutcomesEnd;
  const jointsStart: usize = tree.joints;
  while (joint > jointsStart) {
    joint -= offsetof<Joint>();
    mass -= size;
    below -= size;
    outcomes -= 4;
    const split = changetype<Joint>(joint);
    const outcome = load<u32>(outcomes);
    accumulate(shap + split.shap, ascend(PAIRS, joint, outcome, mass, below, outcome > 1 ? lost : usize(split.rule)));
  }
}

@inline function explainRows(PAIRS: i32, trees: usize, treeCount: u32, scratch: usize, rows: usize, rowSize: usize, rowCount: usize, shaps: usize, shapSize: usize): void {
  for (let index: u32 = 0; index < treeCount; index++) {
    const tree = changetype<Tree>(trees + index * offsetof<Tree>());
    const masses: usize = changetype<Scratch>(scratch).masses;
    memory.copy(masses, tree.weights, PAIRS << 4);
    for (let row: usize = 0; row < rowCount; row++) {
      explainTree(PAIRS, tree, changetype<Scratch>(scratch), rows + row * rowSize, shaps + row * shapSize);
    }
  }
}

/** Adds the SHAP values of every row for trees with 2 quadrature nodes; each SHAP sum is two numbers still to be added. */
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
