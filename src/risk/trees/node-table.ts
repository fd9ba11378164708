/**
 * The nodes of all trees as a file lists them, before any check. Operator versions write nodes in different ways; the
 * reader of each version makes this table. Indices point into the table.
 */
export interface NodeTable {
  readonly mode: Uint8Array;
  readonly feature: Float64Array;
  readonly threshold: Float64Array;
  /** Index of the true child, at branches. */
  readonly trueNext: Int32Array;
  readonly falseNext: Int32Array;
  readonly missingTracksTrue: Uint8Array;
  /** One number per node, or null when the file has none for every node. */
  readonly hitrates: Float64Array | null;
  /** Values of set membership by node. */
  readonly members: ReadonlyMap<number, readonly number[]>;
  readonly roots: readonly number[];
  /** Leaf weights of node n: entries weightStart[n] to weightStart[n + 1]. */
  readonly weightStart: Int32Array;
  readonly weightOutput: Int32Array;
  readonly weight: Float64Array;
  /** Names a node as the file does, for errors. */
  describe(node: number): string;
}

/** Groups (node, output, value) triples by node, keeping their order within a node. */
export function groupByNode(
  nodeCount: number,
  node: Int32Array,
  output: ArrayLike<number>,
  value: ArrayLike<number>,
): Pick<NodeTable, 'weightStart' | 'weightOutput' | 'weight'> {
  const weightStart = new Int32Array(nodeCount + 1);
  for (const index of node) weightStart[index + 1]!++;
  for (let index = 0; index < nodeCount; index++) weightStart[index + 1]! += weightStart[index]!;
  const next = weightStart.slice(0, nodeCount);
  const weightOutput = new Int32Array(node.length);
  const weight = new Float64Array(node.length);
  for (let index = 0; index < node.length; index++) {
    const place = next[node[index]!]!++;
    weightOutput[place] = output[index]!;
    weight[place] = value[index]!;
  }
  return { weightStart, weightOutput, weight };
}
