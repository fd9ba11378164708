import { NodeMode, type TreeEnsemble } from '../../../../src/risk/tree-ensemble.js';

export interface RandomEnsembleShape {
  readonly seed: number;
  readonly trees: number;
  readonly depth: number;
  readonly featureCount: number;
  readonly outputCount?: number;
  readonly precision?: 32 | 64;
  /** Branch modes to choose from at random; LEQ when absent. */
  readonly modes?: readonly NodeMode[];
  /** Share of nodes above the depth limit that are leaves already. */
  readonly earlyLeaves?: number;
  /**
   * CONSISTENT: covers are counts, and the children sum to their parent. FRACTIONAL: they sum too, and are never 0.
   * ROUGH: they do not sum exactly. SPARSE: many nodes were never reached.
   */
  readonly cover?: 'CONSISTENT' | 'FRACTIONAL' | 'ROUGH' | 'SPARSE';
}

/** mulberry32: a small seeded generator of numbers in [0, 1). */
function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

interface NodeEntry {
  mode: NodeMode;
  feature: number;
  threshold: number;
  trueChild: number;
  falseChild: number;
  tracks: number;
  cover: number;
  weights: [output: number, weight: number][];
}

/** Thresholds and values come from a grid of halves, so that rows often lie exactly on a threshold. */
export function randomEnsemble(shape: RandomEnsembleShape): TreeEnsemble {
  const {
    depth,
    featureCount,
    outputCount = 1,
    precision = 32,
    modes = [NodeMode.LEQ],
    earlyLeaves = 0.15,
    cover = 'CONSISTENT',
  } = shape;
  const random = randomNumbers(shape.seed);
  const nodes: NodeEntry[] = [];

  function addNode(level: number, reached: number): number {
    const index = nodes.length;
    const leaf = level === depth || random() < earlyLeaves;
    const entry: NodeEntry = {
      mode: NodeMode.LEAF,
      feature: 0,
      threshold: 0,
      trueChild: -1,
      falseChild: -1,
      tracks: 0,
      cover: reached,
      weights: [],
    };
    nodes.push(entry);
    if (leaf) {
      for (let output = 0; output < outputCount; output++)
        if (outputCount === 1 || random() < 0.7) entry.weights.push([output, random() * 2 - 1]);
      return index;
    }
    entry.mode = modes[Math.floor(random() * modes.length)]!;
    entry.feature = Math.floor(random() * featureCount);
    entry.threshold = randomValue(random);
    entry.tracks = random() < 0.5 ? 1 : 0;
    const evenly = 0.1 + 0.8 * random();
    const counted = cover === 'FRACTIONAL' ? evenly : Math.round(reached * evenly) / Math.max(reached, 1);
    const share = cover === 'SPARSE' && random() < 0.2 ? Math.round(random()) : counted;
    const rough = cover === 'ROUGH' ? 1 + 1e-4 * random() : 1;
    entry.trueChild = addNode(level + 1, reached * share * rough);
    entry.falseChild = addNode(level + 1, reached * (1 - share));
    return index;
  }

  const roots = Array.from({ length: shape.trees }, () => addNode(0, 1000));
  const leafStart = [0];
  for (const node of nodes) leafStart.push(leafStart.at(-1)! + node.weights.length);
  return {
    featureCount,
    outputCount,
    precision,
    roots: Int32Array.from(roots),
    mode: Uint8Array.from(nodes, (node) => node.mode),
    feature: Int32Array.from(nodes, (node) => node.feature),
    threshold: Float64Array.from(nodes, (node) => node.threshold),
    trueChild: Int32Array.from(nodes, (node) => node.trueChild),
    falseChild: Int32Array.from(nodes, (node) => node.falseChild),
    missingTracksTrue: Uint8Array.from(nodes, (node) => node.tracks),
    cover: Float64Array.from(nodes, (node) => node.cover),
    leafStart: Int32Array.from(leafStart),
    leafOutput: Int32Array.from(nodes.flatMap((node) => node.weights.map(([output]) => output))),
    leafWeight: Float64Array.from(nodes.flatMap((node) => node.weights.map(([, weight]) => weight))),
    baseValues: Float64Array.from({ length: outputCount }, () => random()),
    postTransform: 'NONE',
  };
}

/** Rows on the same grid as the thresholds; about one value in `1 / missing` is NaN. */
export function randomRows(seed: number, rowCount: number, featureCount: number, missing = 0): Float64Array {
  const random = randomNumbers(seed);
  return Float64Array.from({ length: rowCount * featureCount }, () =>
    random() < missing ? Number.NaN : randomValue(random),
  );
}

function randomValue(random: () => number): number {
  return Math.floor(random() * 9) / 2 - 2;
}
