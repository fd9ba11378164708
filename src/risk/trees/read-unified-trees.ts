import type { OnnxNode } from '../onnx/model-proto.js';
import { NodeAttributes, nodeTitle } from '../onnx/node-attributes.js';
import { ElementType } from '../onnx/tensor-proto.js';
import { NodeMode, type PostTransform } from '../tree-ensemble.js';
import { buildEnsemble } from './build-ensemble.js';
import { groupByNode, type NodeTable } from './node-table.js';
import type { ParsedTrees } from './parsed-trees.js';

const modes: readonly number[] = [
  NodeMode.LEQ,
  NodeMode.LT,
  NodeMode.GTE,
  NodeMode.GT,
  NodeMode.EQ,
  NodeMode.NEQ,
  NodeMode.MEMBER,
];

/**
 * The post transforms by number, as ONNX Runtime 1.30 uses them (measured). In the standard, 1 and 2 are exchanged.
 * RiskGraph serves the results of ONNX Runtime.
 */
const postTransforms: readonly PostTransform[] = ['NONE', 'LOGISTIC', 'SOFTMAX', 'SOFTMAX_ZERO', 'PROBIT'];

/**
 * Reads TreeEnsemble, version 5: branches and leaves in two lists, set membership, no base values.
 * https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html
 *
 * Step by step:
 *
 * 1. The attributes give the number of targets, the way in which trees are summed, and the post transform.
 * 2. The lists of branches and leaves become a `NodeTable`.
 * 3. Each member set is assigned to its branch.
 * 4. `buildEnsemble` checks the table and lays the trees out.
 *
 * Its nodes_hitrates describe branches only, so the counts of two leaves under one branch are unknown. They are not
 * used as covers, and path-dependent SHAP needs a background set.
 * @throws InvalidModelError when the node is malformed or not supported
 */
export function readUnifiedTrees(node: OnnxNode, featureCount: number | null, precision: 32 | 64): ParsedTrees {
  const attributes = new NodeAttributes(node);
  const aggregate = attributes.integer('aggregate_function', 1);
  if (aggregate === 2 || aggregate === 3) {
    throw attributes.refuse(
      `aggregate_function ${aggregate === 2 ? 'MIN' : 'MAX'} takes one tree's value, so its output is no sum that ` +
        'SHAP values could explain',
      'use SUM or AVERAGE',
    );
  }
  if (aggregate !== 0 && aggregate !== 1)
    throw attributes.refuse(`aggregate_function ${aggregate} is unknown`, 'use 0 (AVERAGE) or 1 (SUM)');
  const postTransform = postTransforms[attributes.integer('post_transform', 0)];
  if (!postTransform) throw attributes.refuse('its post_transform is unknown', 'use a number from 0 to 4');
  const targets = attributes.integer('n_targets', 0);
  if (targets < 1 || targets > 10_000)
    throw attributes.refuse(`n_targets is ${targets}`, 'export a model with 1 to 10000 targets');

  if (effectivePostTransform(postTransform, targets) !== postTransform)
    throw attributes.refuse(
      `its post_transform ${postTransform} is ignored by ONNX Runtime for one target, so it would serve the plain sum`,
      'export it with post_transform 0 and a Sigmoid node behind it, or with two targets',
    );
  const table = readTable(attributes, precision);
  const ensemble = buildEnsemble(table, {
    name: nodeTitle(node),
    featureCount: featureCount ?? table.feature.reduce((most, feature) => Math.max(most, feature + 1), 1),
    outputCount: targets,
    precision,
    average: aggregate === 0,
    baseValues: new Float64Array(targets),
    postTransform: effectivePostTransform(postTransform, targets),
  });
  return {
    ensemble,
    scoreLayout: 'PLAIN',
    labels: null,
    wholeColumns: wholeColumns(table),
    scoreOutput: node.outputs[0] ?? '',
  };
}

function wholeColumns({ members, feature }: NodeTable): Set<number> {
  const unrolled = (set: readonly number[]): boolean =>
    set.length < 31 && set.every((value) => value >= 0 && value <= 30);
  return new Set([...members].filter(([, set]) => !unrolled(set)).map(([node]) => feature[node]!));
}

/** Returns the post transform that is applied. With one target ONNX Runtime applies PROBIT only, in every regressor. */
export function effectivePostTransform(postTransform: PostTransform, targets: number): PostTransform {
  return targets > 1 || postTransform === 'PROBIT' ? postTransform : 'NONE';
}

function readTable(attributes: NodeAttributes, precision: 32 | 64): NodeTable {
  const feature = attributes.integers('nodes_featureids');
  const branches = feature.length;
  if (branches === 0) throw attributes.refuse('it has no nodes');
  const leafTargets = attributes.integers('leaf_targetids');
  const leaves = leafTargets.length;
  const weights = attributes.ofLength('leaf_weights', tensor(attributes, 'leaf_weights', precision), leaves);
  const splits = attributes.ofLength('nodes_splits', tensor(attributes, 'nodes_splits', precision), branches);
  const mode = readModes(attributes, branches, leaves);
  const tracks = attributes.integers('nodes_missing_value_tracks_true');
  if (tracks.length > 0) attributes.ofLength('nodes_missing_value_tracks_true', tracks, branches);
  const trueNext = readChildren(attributes, 'true', branches, leaves);
  const falseNext = readChildren(attributes, 'false', branches, leaves);
  const padded = (values: Float64Array): Float64Array => {
    const all = new Float64Array(branches + leaves);
    all.set(values);
    return all;
  };
  return {
    mode,
    feature: padded(feature),
    threshold: padded(splits),
    trueNext,
    falseNext,
    missingTracksTrue: Uint8Array.from(padded(tracks), (value) => (value === 1 ? 1 : 0)),
    hitrates: null,
    members: readMembers(attributes, mode, precision),
    roots: Array.from(attributes.integers('tree_roots'), (root) => {
      if (root < 0 || root >= branches)
        throw attributes.refuse(`tree_roots names node ${root}, but there are ${branches}`);
      // A tree of one leaf is written as a branch whose two children are the same leaf.
      return trueNext[root] === falseNext[root] && trueNext[root]! >= branches ? trueNext[root]! : root;
    }),
    ...groupByNode(
      branches + leaves,
      Int32Array.from({ length: leaves }, (_, leaf) => branches + leaf),
      leafTargets,
      weights,
    ),
    describe: (node) => (node < branches ? `node ${node}` : `leaf ${node - branches}`),
  };
}

function tensor(attributes: NodeAttributes, name: string, precision: 32 | 64): Float64Array {
  const found = attributes.tensor(name);
  return found ? attributes.tensorValues(found, name, precision) : new Float64Array(0);
}

function readModes(attributes: NodeAttributes, branches: number, leaves: number): Uint8Array {
  const codes = attributes.tensor('nodes_modes');
  if (codes?.elementType !== ElementType.UINT8 || codes.values.length !== branches)
    throw attributes.refuse(`nodes_modes is not a list of ${branches} bytes`);
  const mode = new Uint8Array(branches + leaves).fill(NodeMode.LEAF);
  codes.values.forEach((code, node) => {
    if (modes[code] === undefined)
      throw attributes.refuse(`node ${node} has mode ${code}, which is unknown`, 'use modes 0 to 6');
    mode[node] = modes[code];
  });
  return mode;
}

function readChildren(
  attributes: NodeAttributes,
  side: 'true' | 'false',
  branches: number,
  leaves: number,
): Int32Array {
  const ids = attributes.integersOf(`nodes_${side}nodeids`, branches);
  const areLeaves = attributes.integersOf(`nodes_${side}leafs`, branches);
  const next = new Int32Array(branches + leaves).fill(-1);
  ids.forEach((id, node) => {
    const leaf = areLeaves[node] !== 0;
    if (id < 0 || id >= (leaf ? leaves : branches))
      throw attributes.refuse(
        `nodes_${side}nodeids of node ${node} is ${leaf ? 'leaf' : 'node'} ${id}, which does not exist`,
      );
    next[node] = leaf ? branches + id : id;
  });
  return next;
}

/** Reads membership_values. It holds the sets of the MEMBER nodes one after another; NaN ends each set. */
function readMembers(attributes: NodeAttributes, mode: Uint8Array, precision: 32 | 64): Map<number, readonly number[]> {
  const values = tensor(attributes, 'membership_values', precision);
  const members = new Map<number, readonly number[]>();
  let place = 0;
  mode.forEach((code, node) => {
    if (code !== NodeMode.MEMBER) return;
    const set: number[] = [];
    while (place < values.length && !Number.isNaN(values[place])) set.push(values[place++]!);
    place++;
    if (set.length === 0) throw attributes.refuse(`node ${node} tests membership of an empty set`);
    members.set(node, [...new Set(set)]);
  });
  return members;
}
