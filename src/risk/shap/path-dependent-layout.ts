import { gaussLegendre } from './gauss-legendre.js';
import { type Split, type SplitOrLeaf, type SplitTree, splitsOf } from './split-tree.js';
import type { WasmMemory } from './wasm-memory.js';

/** Quadrature nodes that one call of the kernel carries side by side. */
type NodeCount = 2 | 4 | 6 | 8;
const mostNodes = 8;

/** Trees that one call of the kernel explains. */
interface TreeGroup {
  readonly nodes: NodeCount;
  readonly address: number;
  readonly count: number;
}

interface PackedTrees {
  /** Address of the kernel's `Scratch`. */
  readonly scratch: number;
  /** [output][group] */
  readonly groups: readonly (readonly TreeGroup[])[];
}

/** Sizes of the kernel's structures in bytes; see path-dependent.as. */
const sizes = { joint: 64, fork: 64, tree: 36 };

/** Addresses of the rules. A rule holds, for each quadrature node, s and then the scale of the change. */
interface Rules {
  readonly nodes: Float64Array;
  readonly weights: number;
  readonly plain: number;
  readonly lost: number;
  /** Rule of a split below an earlier one on its feature, by the cover fraction of the earlier ones. */
  readonly repeated: Map<number, number>;
}

interface ScratchLayout {
  readonly outcomes: number;
  readonly masses: number;
  readonly belows: number;
  /** Address that takes the mass of a leaf. The kernel never reads it. */
  readonly unread: number;
  /** Address of a zero. It is the outcome of the earlier split, for a split that has none. */
  readonly zero: number;
}

/** Writes the trees of every output in the form that the path-dependent kernel reads. */
export function packTrees(memory: WasmMemory, outputs: readonly (readonly SplitTree[])[]): PackedTrees {
  const mostSplits = outputs.flat().reduce((most, tree) => Math.max(most, splitsOf(tree).length), 1);
  const vectors = mostSplits * mostNodes * 8;
  const scratch: ScratchLayout = {
    outcomes: memory.reserve(mostSplits * 4),
    masses: memory.reserve(vectors),
    belows: memory.reserve(vectors),
    unread: memory.reserve(mostNodes * 8),
    zero: memory.reserve(4),
  };
  const scratchAddress = memory.writeUint32([scratch.outcomes, scratch.masses, scratch.belows]);
  const rules = new Map<number, Rules[]>();
  const groups = outputs.map((trees) => {
    const headers = new Map<NodeCount, number[]>();
    for (const tree of trees) {
      const count = quadratureNodes(tree);
      if (!rules.has(count)) rules.set(count, rulesOf(memory, count));
      for (const part of rules.get(count)!) {
        const nodes = part.nodes.length as NodeCount;
        const words = headers.get(nodes) ?? [];
        words.push(...packTree(memory, tree, part, scratch));
        headers.set(nodes, words);
      }
    }
    return Array.from(headers, ([nodes, words]) => ({
      nodes,
      address: memory.writeUint32(words),
      count: words.length / (sizes.tree / 4),
    }));
  });
  return { scratch: scratchAddress, groups };
}

/**
 * Returns the number of nodes that a tree needs. Gauss-Legendre with n nodes is exact to degree 2n - 1, and a path of d
 * features has degree d - 1. The number is even, to fill vectors.
 */
function quadratureNodes(tree: SplitTree): number {
  return 2 * Math.ceil(tree.featuresOnPath / 4);
}

/**
 * Makes the rules in parts of at most `mostNodes` nodes. SHAP values are sums over the nodes, so the kernel may go
 * through a tree once per part.
 */
function rulesOf(memory: WasmMemory, count: number): Rules[] {
  const { nodes, weights } = gaussLegendre(count);
  const parts: Rules[] = [];
  for (let first = 0; first < count; first += mostNodes) {
    const part = nodes.subarray(first, first + mostNodes);
    parts.push({
      nodes: part,
      weights: memory.writeFloat64(weights.subarray(first, first + mostNodes)),
      plain: memory.writeFloat64([...part.map((t) => 1 - t), ...part.map(() => 1)]),
      lost: memory.writeFloat64([...part.map(() => 1), ...part.map(() => 0)]),
      repeated: new Map(),
    });
  }
  return parts;
}

function repeatedRule(memory: WasmMemory, rules: Rules, fraction: number): number {
  const known = rules.repeated.get(fraction);
  if (known !== undefined) return known;
  const factor = (t: number) => t + (1 - t) * fraction;
  const address = memory.writeFloat64([
    ...rules.nodes.map((t) => ((1 - t) * fraction) / factor(t)),
    ...rules.nodes.map((t) => fraction / factor(t) ** 2),
  ]);
  rules.repeated.set(fraction, address);
  return address;
}

function isFork(split: Split): boolean {
  return split.children.every((child) => typeof child === 'number');
}

/** @returns the words of the kernel's `Tree` */
function packTree(memory: WasmMemory, tree: SplitTree, rules: Rules, scratch: ScratchLayout): number[] {
  const splits = splitsOf(tree);
  const { joints, runs } = inRuns(tree.root);
  const plainForks = splits.filter((split) => isFork(split) && !split.earlier);
  const forks = [...plainForks, ...splits.filter((split) => isFork(split) && split.earlier)];
  const place = new Map([...joints, ...forks].map((split, index) => [split, index]));
  const vector = rules.nodes.length * 8;
  const jointsAddress = memory.reserve(joints.length * sizes.joint);
  const forksAddress = memory.reserve(forks.length * sizes.fork);

  const common = (split: Split): number[] => [
    split.slot * 8,
    split.feature * 16,
    split.earlier ? scratch.outcomes + place.get(split.earlier.split)! * 4 : scratch.zero,
    split.earlier?.side ?? 0,
    split.earlier ? repeatedRule(memory, rules, split.earlierFraction) : rules.plain,
  ];
  const below = (child: SplitOrLeaf) =>
    typeof child === 'number'
      ? memory.writeFloat64(rules.nodes.map(() => child))
      : scratch.belows + place.get(child)! * vector;
  const mass = (child: SplitOrLeaf) =>
    typeof child === 'number' ? scratch.unread : scratch.masses + place.get(child)! * vector;

  joints.forEach((split, index) => {
    const address = jointsAddress + index * sizes.joint;
    [split.threshold, ...split.fractions].forEach((value, field) => memory.setFloat64(address + field * 8, value));
    [...split.children.map(below), ...split.children.map(mass), ...common(split)].forEach((value, field) =>
      memory.setUint32(address + 24 + field * 4, value),
    );
  });
  forks.forEach((split, index) => {
    const address = forksAddress + index * sizes.fork;
    const [passes, fails] = split.children as [number, number];
    const [toPass, toFail] = split.fractions;
    const changes = [(1 - toPass) * passes - toFail * fails, (1 - toFail) * fails - toPass * passes];
    [split.threshold, passes, fails, ...changes].forEach((value, field) =>
      memory.setFloat64(address + field * 8, value),
    );
    common(split).forEach((value, field) => memory.setUint32(address + 40 + field * 4, value));
  });
  return [
    jointsAddress,
    memory.writeUint32(runs),
    runs.length / 2,
    forksAddress,
    plainForks.length,
    forks.length - plainForks.length,
    rules.weights,
    rules.plain,
    rules.lost,
  ];
}

/**
 * Orders the joints of a tree in runs, parents before children, in as few runs as possible. The first run has joints
 * whose feature is not split on above. The next has joints whose feature is, and so on. `runs` has the lengths.
 */
function inRuns(root: SplitOrLeaf): { joints: Split[]; runs: number[] } {
  const joints: Split[] = [];
  const runs: number[] = [];
  const waiting: [plain: Split[], repeated: Split[]] = [[], []];
  const add = (tree: SplitOrLeaf): void => {
    if (typeof tree !== 'number' && !isFork(tree)) waiting[tree.earlier ? 1 : 0].push(tree);
  };
  add(root);
  while (waiting[0].length + waiting[1].length > 0) {
    for (const queue of waiting) {
      const before = joints.length;
      for (let split = queue.pop(); split; split = queue.pop()) {
        joints.push(split);
        split.children.forEach(add);
      }
      runs.push(joints.length - before);
    }
  }
  return { joints, runs };
}
