import { InvalidModelError } from '../errors.js';
import { NodeMode, type PostTransform, type TreeEnsemble } from '../tree-ensemble.js';
import { NumberList } from '../onnx/lists.js';
import type { NodeTable } from './node-table.js';

/**
 * The maximum length of a path. Libraries stop long before. The cost of explaining grows with depth, so longer is
 * refused.
 */
const deepestPath = 1000;

interface EnsembleShape {
  /** Name of the node in the graph, for errors. */
  readonly name: string;
  readonly featureCount: number;
  readonly outputCount: number;
  readonly precision: 32 | 64;
  readonly average: boolean;
  readonly baseValues: Float64Array;
  readonly postTransform: PostTransform;
}

/**
 * Lays the trees out in depth-first order, step by step:
 *
 * 1. Each tree is walked from its root. Nodes that belong to no tree are dropped.
 * 2. Set membership becomes a chain of EQ nodes, as in ONNX Runtime.
 * 3. A node with two parents is written twice.
 *
 * @throws InvalidModelError for a cycle, a missing child, a feature that the input does not have, or a limit exceeded
 */
export function buildEnsemble(table: NodeTable, shape: EnsembleShape): TreeEnsemble {
  if (table.roots.length === 0) throw refuse(shape, 'it has no trees');
  const layout = new Layout(table, shape);
  const roots = table.roots.map((root) => layout.addTree(root));
  return layout.finish(Int32Array.from(roots));
}

interface Visit {
  /** Index of the node in the table; -1 marks the end of a node's subtree. */
  node: number;
  parent: number;
  onTrueSide: boolean;
  depth: number;
  /** Position in the node's member set that the chain of EQ nodes has reached. */
  member: number;
}

class Layout {
  private readonly mode = new NumberList();
  private readonly feature = new NumberList();
  private readonly threshold = new NumberList();
  private readonly tracks = new NumberList();
  private readonly cover = new NumberList();
  private readonly trueChild = new NumberList();
  private readonly falseChild = new NumberList();
  private readonly leafStart = new NumberList();
  private readonly leafOutput = new NumberList();
  private readonly leafWeight = new NumberList();
  private readonly onPath: Uint8Array;
  /**
   * The limit of nodes in the layout. Shared subtrees are written out; a hostile file could make them grow without end.
   */
  private readonly mostNodes: number;

  constructor(
    private readonly table: NodeTable,
    private readonly shape: EnsembleShape,
  ) {
    this.onPath = new Uint8Array(table.mode.length);
    let members = 0;
    for (const values of table.members.values()) members += values.length;
    this.mostNodes = 4 * (table.mode.length + members) + 65_536;
  }

  /** @returns index of the root in the layout */
  addTree(root: number): number {
    const first = this.mode.length;
    const stack: Visit[] = [{ node: root, parent: -1, onTrueSide: true, depth: 0, member: 0 }];
    while (stack.length > 0) {
      const visit = stack.pop()!;
      if (visit.node < 0) this.onPath[-1 - visit.node] = 0;
      else this.addNode(visit, stack);
    }
    return first;
  }

  private addNode(visit: Visit, stack: Visit[]): void {
    const { table } = this;
    const { node, depth } = visit;
    const inChain = visit.member > 0;
    if (!inChain && this.onPath[node])
      throw refuse(this.shape, `${table.describe(node)} is its own ancestor: the trees have a cycle`);
    if (depth > deepestPath) throw this.tooLong();
    if (this.mode.length >= this.mostNodes)
      throw refuse(
        this.shape,
        'its nodes share too many subtrees: written out, the trees exceed the limit',
        'export trees without shared nodes',
      );
    const index = this.mode.length;
    this.link(visit, index);
    this.leafStart.push(this.leafOutput.length);
    this.cover.push(table.hitrates ? table.hitrates[node]! : 0);
    const members = table.members.get(node);
    this.tracks.push(table.missingTracksTrue[node]!);
    this.trueChild.push(-1);
    this.falseChild.push(-1);
    if (table.mode[node] === NodeMode.LEAF) return this.addLeaf(node);
    this.addBranch(
      node,
      members ? NodeMode.EQ : table.mode[node]!,
      members ? members[visit.member]! : table.threshold[node]!,
    );
    const moreMembers = members !== undefined && visit.member + 1 < members.length;
    if (!inChain) {
      this.onPath[node] = 1;
      stack.push({ node: -1 - node, parent: -1, onTrueSide: true, depth, member: 0 });
    }
    stack.push(
      moreMembers
        ? { node, parent: index, onTrueSide: false, depth: depth + 1, member: visit.member + 1 }
        : { node: table.falseNext[node]!, parent: index, onTrueSide: false, depth: depth + 1, member: 0 },
      { node: table.trueNext[node]!, parent: index, onTrueSide: true, depth: depth + 1, member: 0 },
    );
  }

  private tooLong(): InvalidModelError {
    let largest = 0;
    for (const members of this.table.members.values()) largest = Math.max(largest, members.length);
    // Each category of a set is a node of its own on the path.
    return largest > deepestPath / 4
      ? refuse(
          this.shape,
          `it splits on a set of ${largest} categories, and the sets on a path may have ${deepestPath} categories`,
          'group rare categories before training, or limit those of one split (LightGBM: max_cat_threshold)',
        )
      : refuse(this.shape, `a path is longer than ${deepestPath} nodes`, 'limit the depth when training');
  }

  private link(visit: Visit, index: number): void {
    if (visit.parent >= 0) (visit.onTrueSide ? this.trueChild : this.falseChild).values()[visit.parent] = index;
  }

  private addBranch(node: number, mode: number, threshold: number): void {
    const feature = this.table.feature[node]!;
    if (feature < 0 || feature >= this.shape.featureCount) {
      throw refuse(
        this.shape,
        `${this.table.describe(node)} reads feature ${feature}, but the input has ${this.shape.featureCount} columns`,
        'the exporter left out a step that makes columns, as it does for SimpleImputer(add_indicator=True): train ' +
          'without that step and export again',
      );
    }
    this.mode.push(mode);
    this.feature.push(feature);
    this.threshold.push(threshold);
  }

  private addLeaf(node: number): void {
    const { table } = this;
    this.mode.push(NodeMode.LEAF);
    this.feature.push(0);
    this.threshold.push(0);
    for (let entry = table.weightStart[node]!; entry < table.weightStart[node + 1]!; entry++) {
      const output = table.weightOutput[entry]!;
      const weight = table.weight[entry]!;
      if (!Number.isFinite(weight))
        throw refuse(this.shape, `${table.describe(node)} has a weight that is not a finite number`);
      if (output < 0 || output >= this.shape.outputCount)
        throw refuse(
          this.shape,
          `${table.describe(node)} has a weight for output ${output} of ${this.shape.outputCount}`,
        );
      this.leafOutput.push(output);
      this.leafWeight.push(this.shape.average ? weight / table.roots.length : weight);
    }
  }

  finish(roots: Int32Array): TreeEnsemble {
    this.leafStart.push(this.leafOutput.length);
    const { featureCount, outputCount, precision, baseValues, postTransform } = this.shape;
    return {
      featureCount,
      outputCount,
      precision,
      roots,
      mode: Uint8Array.from(this.mode.values()),
      feature: Int32Array.from(this.feature.values()),
      threshold: this.threshold.values().slice(),
      trueChild: Int32Array.from(this.trueChild.values()),
      falseChild: Int32Array.from(this.falseChild.values()),
      missingTracksTrue: Uint8Array.from(this.tracks.values()),
      cover: this.table.hitrates ? this.cover.values().slice() : null,
      leafStart: Int32Array.from(this.leafStart.values()),
      leafOutput: Int32Array.from(this.leafOutput.values()),
      leafWeight: this.leafWeight.values().slice(),
      baseValues,
      postTransform,
    };
  }
}

function refuse(shape: EnsembleShape, reason: string, remedy = 'export the model again'): InvalidModelError {
  return new InvalidModelError(`node ${shape.name}`, reason, remedy);
}
