/**
 * Reads the older tree operators, step by step:
 *
 * 1. The attributes give the outputs, the way in which trees are summed, and the post transform.
 * 2. The node lists become a `NodeTable`: ids become positions, and roots are found.
 * 3. Leaf weights are grouped by node.
 * 4. `buildEnsemble` checks the table and lays the trees out.
 */
import type { OnnxNode } from '../onnx/model-proto.js';
import { NodeAttributes, nodeTitle } from '../onnx/node-attributes.js';
import { NodeMode, type PostTransform } from '../tree-ensemble.js';
import { requireBaseValues } from './base-values.js';
import { classOutputs, type OutputPlan, targetOutputs } from './output-plan.js';
import type { ParsedTrees } from './parsed-trees.js';
import { buildEnsemble } from './build-ensemble.js';
import { effectivePostTransform } from './read-unified-trees.js';
import { groupByNode, type NodeTable } from './node-table.js';

const modes: ReadonlyMap<string, number> = new Map(
  Object.entries({
    BRANCH_LEQ: NodeMode.LEQ,
    BRANCH_LT: NodeMode.LT,
    BRANCH_GTE: NodeMode.GTE,
    BRANCH_GT: NodeMode.GT,
    BRANCH_EQ: NodeMode.EQ,
    BRANCH_NEQ: NodeMode.NEQ,
    LEAF: NodeMode.LEAF,
  }),
);

const postTransforms: readonly PostTransform[] = ['NONE', 'LOGISTIC', 'SOFTMAX', 'SOFTMAX_ZERO', 'PROBIT'];

/**
 * Reads TreeEnsembleClassifier and TreeEnsembleRegressor, versions 1 to 3.
 * https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleClassifier.html
 * @param precision type of the node's input: 64 for double, else 32
 * @throws InvalidModelError
 */
export function readClassicTrees(node: OnnxNode, featureCount: number | null, precision: 32 | 64): ParsedTrees {
  const attributes = new NodeAttributes(node);
  const classifier = node.operator === 'TreeEnsembleClassifier';
  const postTransform = attributes.text('post_transform', 'NONE') as PostTransform;
  if (!postTransforms.includes(postTransform))
    throw attributes.refuse('its post_transform is unknown', `use one of ${postTransforms.join(', ')}`);
  const aggregate = classifier ? 'SUM' : attributes.text('aggregate_function', 'SUM');
  if (aggregate === 'MIN' || aggregate === 'MAX') {
    throw attributes.refuse(
      `aggregate_function ${aggregate} takes one tree's value, so its output is no sum that SHAP values could explain`,
      'use SUM or AVERAGE',
    );
  }
  if (aggregate !== 'SUM' && aggregate !== 'AVERAGE')
    throw attributes.refuse('its aggregate_function is unknown', 'use SUM or AVERAGE');

  const prefix = classifier ? 'class' : 'target';
  const outputIds = attributes.integers(`${prefix}_ids`);
  const baseValues = attributes.floatsOrTensor('base_values', precision);
  const plan = classifier ? classOutputs(attributes, outputIds, baseValues) : targetOutputs(attributes, baseValues);
  const table = readTable(attributes, prefix, outputIds, plan, precision);
  // ONNX Runtime adds the base values of three classes and more to every row.
  if (!classifier || plan.outputCount === 2) requireBaseValues(attributes, table, plan.baseValues, prefix);
  const features = featureCount ?? table.feature.reduce((most, feature) => Math.max(most, feature + 1), 1);
  const ensemble = buildEnsemble(table, {
    name: nodeTitle(node),
    featureCount: features,
    outputCount: plan.outputCount,
    precision,
    average: aggregate === 'AVERAGE',
    baseValues: plan.baseValues,
    postTransform: classifier ? postTransform : effectivePostTransform(postTransform, plan.outputCount),
  });
  return {
    ensemble,
    scoreLayout: plan.layout,
    labels: plan.labels,
    wholeColumns: new Set(),
    scoreOutput: node.outputs[classifier ? 1 : 0] ?? '',
  };
}

function readTable(
  attributes: NodeAttributes,
  prefix: string,
  outputIds: Float64Array,
  plan: OutputPlan,
  precision: 32 | 64,
): NodeTable {
  const treeIds = attributes.integers('nodes_treeids');
  const count = treeIds.length;
  if (count === 0) throw attributes.refuse('it has no nodes');
  const nodeIds = attributes.integersOf('nodes_nodeids', count);
  const places = new NodePlaces(treeIds, nodeIds, attributes);
  const mode = readModes(attributes, count);
  const trueIds = attributes.integersOf('nodes_truenodeids', count);
  const falseIds = attributes.integersOf('nodes_falsenodeids', count);
  const trueNext = new Int32Array(count).fill(-1);
  const falseNext = new Int32Array(count).fill(-1);
  for (let node = 0; node < count; node++) {
    if (mode[node] === NodeMode.LEAF) continue;
    trueNext[node] = places.find(treeIds[node]!, trueIds[node]!, 'the true child');
    falseNext[node] = places.find(treeIds[node]!, falseIds[node]!, 'the false child');
  }
  const hitrates = attributes.floatsOrTensor('nodes_hitrates', precision);
  return {
    mode,
    feature: attributes.integersOf('nodes_featureids', count),
    threshold: attributes.ofLength('nodes_values', attributes.floatsOrTensor('nodes_values', precision), count),
    trueNext,
    falseNext,
    missingTracksTrue: readTracks(attributes, count),
    hitrates: hitrates.length === count ? hitrates : null,
    members: new Map(),
    roots: findRoots(treeIds, attributes),
    ...readWeights(attributes, prefix, outputIds, plan, places, mode, precision),
    describe: (node) => `node ${nodeIds[node]} of tree ${treeIds[node]}`,
  };
}

function readModes(attributes: NodeAttributes, count: number): Uint8Array {
  const names = attributes.strings('nodes_modes');
  if (names?.length !== count)
    throw attributes.refuse(`nodes_modes has ${names?.length ?? 0} values where ${count} are needed`);
  const mode = new Uint8Array(count);
  let node = 0;
  for (const code of names.codes(modes)) {
    if (code === undefined)
      throw attributes.refuse(
        `nodes_modes has a mode that is unknown at position ${node}`,
        `use one of ${[...modes.keys()].join(', ')}`,
      );
    mode[node++] = code;
  }
  return mode;
}

/** Reads the tracks of missing values. Absent or short lists leave the rest at 0, as in ONNX Runtime. */
function readTracks(attributes: NodeAttributes, count: number): Uint8Array {
  const tracks = new Uint8Array(count);
  attributes
    .integers('nodes_missing_value_tracks_true')
    .subarray(0, count)
    .forEach((value, node) => (tracks[node] = value === 1 ? 1 : 0));
  return tracks;
}

/**
 * Finds the roots. The first listed node of a tree is its root. If a tree's nodes are apart, ONNX Runtime sees two
 * trees.
 */
function findRoots(treeIds: Float64Array, attributes: NodeAttributes): number[] {
  const roots: number[] = [];
  const seen = new Set<number>();
  for (let node = 0; node < treeIds.length; node++) {
    const tree = treeIds[node]!;
    if (node > 0 && treeIds[node - 1] === tree) continue;
    if (seen.has(tree)) throw attributes.refuse(`the nodes of tree ${tree} are not listed together`);
    seen.add(tree);
    roots.push(node);
  }
  return roots;
}

function readWeights(
  attributes: NodeAttributes,
  prefix: string,
  outputIds: Float64Array,
  plan: OutputPlan,
  places: NodePlaces,
  mode: Uint8Array,
  precision: 32 | 64,
): Pick<NodeTable, 'weightStart' | 'weightOutput' | 'weight'> {
  const count = outputIds.length;
  const treeIds = attributes.integersOf(`${prefix}_treeids`, count);
  const nodeIds = attributes.integersOf(`${prefix}_nodeids`, count);
  const weights = attributes.ofLength(
    `${prefix}_weights`,
    attributes.floatsOrTensor(`${prefix}_weights`, precision),
    count,
  );
  const node = new Int32Array(count);
  const output = new Int32Array(count);
  const weight = new Float64Array(count);
  const weighted = new Uint8Array(mode.length);
  let kept = 0;
  for (let entry = 0; entry < count; entry++) {
    const place = places.find(treeIds[entry]!, nodeIds[entry]!, `${prefix}_weights`);
    // Old onnxmltools wrote weights at branches too; ONNX Runtime ignores them.
    if (mode[place] !== NodeMode.LEAF) continue;
    if (plan.oneWeightPerLeaf && weighted[place]) continue;
    weighted[place] = 1;
    node[kept] = place;
    output[kept] = plan.outputOf(outputIds[entry]!);
    weight[kept++] = weights[entry]!;
  }
  return groupByNode(mode.length, node.subarray(0, kept), output.subarray(0, kept), weight.subarray(0, kept));
}

/** Finds nodes by (tree id, node id). The ids need not be dense. */
class NodePlaces {
  private readonly byTree = new Map<number, Map<number, number>>();

  constructor(
    treeIds: Float64Array,
    nodeIds: Float64Array,
    private readonly attributes: NodeAttributes,
  ) {
    for (let node = 0; node < treeIds.length; node++) {
      let tree = this.byTree.get(treeIds[node]!);
      if (!tree) this.byTree.set(treeIds[node]!, (tree = new Map()));
      if (tree.has(nodeIds[node]!))
        throw attributes.refuse(`node ${nodeIds[node]} of tree ${treeIds[node]} is listed twice`);
      tree.set(nodeIds[node]!, node);
    }
  }

  find(tree: number, node: number, asked: string): number {
    const place = this.byTree.get(tree)?.get(node);
    if (place === undefined)
      throw this.attributes.refuse(`${asked} is node ${node} of tree ${tree}, which does not exist`);
    return place;
  }
}
