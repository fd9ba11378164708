import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { NodeMode, type TreeEnsemble } from '../../src/risk/tree-ensemble.js';

/** Runs XGBoost in a separate Python process, which explains the same trees. */
export class XgboostPeer {
  private readonly lines: AsyncIterator<string>;

  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {
    this.lines = createInterface({ input: process.stdout! })[Symbol.asyncIterator]();
  }

  /** Starts the process. @param folder for the exchanged files. @returns the peer, and the version of XGBoost */
  static async start(folder: string, python: string): Promise<[XgboostPeer, string]> {
    const script = fileURLToPath(new URL('./xgboost_peer.py', import.meta.url));
    const peer = new XgboostPeer(spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] }), folder);
    return [peer, await peer.answer()];
  }

  async load(ensemble: TreeEnsemble): Promise<void> {
    writeFileSync(this.file('model.json'), toJson(xgboostModel(ensemble)));
    await this.ask(`load ${this.file('model.json')}`);
  }

  /** Computes SHAP values without the bias: [row][feature], float32. */
  async explain(rows: Float64Array, rowCount: number, width: number): Promise<Float64Array> {
    await this.ask(`check ${this.writeRows(rows)} ${rowCount} ${width} ${this.file('contributions.f32')}`);
    const bytes = readFileSync(this.file('contributions.f32'));
    const all = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    return Float64Array.from(all).filter((_, index) => index % (width + 1) < width);
  }

  /** Measures rows per second of pred_contribs. */
  async time(rows: Float64Array, rowCount: number, width: number, seconds: number): Promise<number> {
    return Number(await this.ask(`time ${this.writeRows(rows)} ${rowCount} ${width} ${seconds}`));
  }

  stop(): void {
    this.process.stdin!.end();
  }

  private file(name: string): string {
    return join(this.folder, name);
  }

  private writeRows(rows: Float64Array): string {
    writeFileSync(this.file('rows.f32'), Float32Array.from(rows));
    return this.file('rows.f32');
  }

  private ask(question: string): Promise<string> {
    this.process.stdin!.write(`${question}\n`);
    return this.answer();
  }

  private async answer(): Promise<string> {
    const line = await this.lines.next();
    if (line.done) throw new Error('the Python process ended: check that xgboost is installed for it');
    return line.value;
  }
}

/**
 * Writes one-output LEQ trees in XGBoost's JSON format. x <= t becomes x < the next float32 above t. Covers become sums
 * of hessians. Siblings get consecutive numbers, because its predictor relies on them.
 * https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html
 */
function xgboostModel(ensemble: TreeEnsemble): object {
  const trees = Array.from(ensemble.roots, (root, id) => xgboostTree(ensemble, root, id));
  const count = String(trees.length);
  return {
    version: [1, 7, 4],
    learner: {
      attributes: {},
      feature_names: [],
      feature_types: [],
      gradient_booster: {
        name: 'gbtree',
        model: {
          gbtree_model_param: { num_parallel_tree: count, num_trees: count, size_leaf_vector: '0' },
          tree_info: trees.map(() => 0),
          trees,
        },
      },
      learner_model_param: {
        base_score: '0E0',
        num_class: '0',
        num_feature: String(ensemble.featureCount),
        num_target: '1',
      },
      objective: { name: 'reg:squarederror', reg_loss_param: { scale_pos_weight: '1' } },
    },
  };
}

function xgboostTree(ensemble: TreeEnsemble, root: number, id: number): object {
  const nodes = [root];
  const left: number[] = [];
  const right: number[] = [];
  const parents = [2147483647];
  for (let index = 0; index < nodes.length; index++) {
    const node = nodes[index]!;
    const leaf = ensemble.mode[node] === NodeMode.LEAF;
    left.push(leaf ? -1 : nodes.length);
    right.push(leaf ? -1 : nodes.length + 1);
    if (!leaf) {
      nodes.push(ensemble.trueChild[node]!, ensemble.falseChild[node]!);
      parents.push(index, index);
    }
  }
  const conditions = nodes.map((node) =>
    ensemble.mode[node] === NodeMode.LEAF
      ? (ensemble.leafWeight[ensemble.leafStart[node]!] ?? 0)
      : nextAbove(ensemble.threshold[node]!),
  );
  const zeros = nodes.map(() => 0);
  return {
    id,
    base_weights: conditions.map(real),
    categories: [],
    categories_nodes: [],
    categories_segments: [],
    categories_sizes: [],
    default_left: zeros,
    left_children: left,
    right_children: right,
    parents,
    loss_changes: zeros.map(real),
    split_conditions: conditions.map(real),
    split_indices: nodes.map((node) => ensemble.feature[node]!),
    split_type: zeros,
    sum_hessian: nodes.map((node) => real(ensemble.cover![node]!)),
    tree_param: {
      num_deleted: '0',
      num_feature: String(ensemble.featureCount),
      num_nodes: String(nodes.length),
      size_leaf_vector: '0',
    },
  };
}

/** Marks a real number until it is written with an exponent: XGBoost's reader distinguishes 1 from 1.0. */
function real(value: number): string {
  return `real ${value.toExponential()}`;
}

function toJson(model: object): string {
  return JSON.stringify(model).replace(/"real ([^"]+)"/g, '$1');
}

function nextAbove(value: number): number {
  if (value === 0) return 2 ** -149;
  const bits = new Int32Array(Float32Array.of(value).buffer);
  bits[0]! += value > 0 ? 1 : -1;
  return new Float32Array(bits.buffer)[0]!;
}
