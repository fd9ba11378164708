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
  /** Address of the kernel's scratch memory. */
  readonly scratch: number;
  /** [output][group] */
  readonly groups: readonly (readonly TreeGroup[])[];
}

/** Sizes of the kernel's structures in bytes; see path-dependent.as. */
const sizes = { joint: 64, fork: 48, repetition: 16, outcome: 16, tree: 36 };

/** Addresses of the rules. A rule holds, for each quadrature node, s and then the scale of the change. */
interface Rules {
  readonly nodes: Float64Array;
  readonly weights: number;
  readonly plain: number;
  readonly lost: number;
  /** Rule of a split below an earlier one on its feature, by the cover fraction of the earlier ones. */
  readonly repeated: Map<number, number>;
}

/** Writes the trees of every output in the form that the path-dependent kernel reads. */
export function packTrees(memory: WasmMemory, outputs: readonly (readonly SplitTree[])[]): PackedTrees {
  const mostSplits = outputs.flat().reduce((most, tree) => Math.max(most, splitsOf(tree).length), 1);
  // The below of the last record lies after it.
  const scratch = memory.reserve(mostSplits * (mostNodes * 8 + sizes.outcome) + mostNodes * 8);
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
  return { scratch, groups };
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

/** @param scratch address of the kernel's scratch memory. @returns the words of the kernel's `Tree` */
function packTree(memory: WasmMemory, tree: SplitTree, rules: Rules, scratch: number): number[] {
  const splits = splitsOf(tree);
  const { joints, runs } = inRuns(tree.root);
  const plainForks = splits.filter((split) => isFork(split) && !split.earlier);
  const forks = [...plainForks, ...splits.filter((split) => isFork(split) && split.earlier)];
  const vectors = rules.nodes.length * 8;
  const jointRecord = vectors + sizes.outcome;
  const records = new Map<Split, number>();
  joints.forEach((split, index) => records.set(split, scratch + index * jointRecord));
  const forkRecords = scratch + joints.length * jointRecord;
  forks.forEach((split, index) => records.set(split, forkRecords + index * vectors));

  const recordOf = (child: SplitOrLeaf) =>
    typeof child === 'number'
      ? memory.writeFloat64([...rules.nodes.map(() => 0), ...rules.nodes.map(() => child)])
      : records.get(child)!;
  /** Writes what joints and forks have in common. @param size of a plain one. @returns the address after it */
  const pack = (split: Split, address: number, size: number, numbers: readonly number[]): number => {
    memory.setFloat64(address, split.threshold);
    memory.setUint32(address + 8, split.slot * 8);
    memory.setUint32(address + 12, split.feature * 16);
    numbers.forEach((value, field) => memory.setFloat64(address + 16 + field * 8, value));
    if (!split.earlier) return address + size;
    memory.setUint32(address + size, records.get(split.earlier.split)! + vectors);
    memory.setUint32(address + size + 4, split.earlier.side);
    memory.setUint32(address + size + 8, repeatedRule(memory, rules, split.earlierFraction));
    return address + size + sizes.repetition;
  };
  const room = (list: readonly Split[], size: number) =>
    memory.reserve(list.reduce((sum, { earlier }) => sum + size + (earlier ? sizes.repetition : 0), 0));

  const jointsAddress = room(joints, sizes.joint);
  joints.reduce((address, split) => {
    const [toPass, toFail] = split.fractions;
    const [passes, fails] = split.children.map(recordOf) as [number, number];
    [passes, fails, fails, passes].forEach((record, field) => memory.setUint32(address + 48 + field * 4, record));
    return pack(split, address, sizes.joint, [1 - toPass, 1 - toFail, toFail, toPass]);
  }, jointsAddress);
  const forksAddress = room(forks, sizes.fork);
  forks.reduce((address, split) => {
    const [passes, fails] = split.children as [number, number];
    const [toPass, toFail] = split.fractions;
    const changes = [(1 - toPass) * passes - toFail * fails, (1 - toFail) * fails - toPass * passes];
    return pack(split, address, sizes.fork, [passes, fails, ...changes]);
  }, forksAddress);
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
      // The children go to the end of the queue that is being walked, or of the other one.
      for (const split of queue) {
        joints.push(split);
        split.children.forEach(add);
      }
      queue.length = 0;
      runs.push(joints.length - before);
    }
  }
  return { joints, runs };
}
