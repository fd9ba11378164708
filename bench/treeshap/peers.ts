import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { NodeMode, type TreeEnsemble } from '../../src/risk/tree-ensemble.js';

/** An explainer of another library: XGBoost's `pred_contribs`, and both methods of shap's C extension. */
export type PeerName = 'xgboost' | 'path' | 'interventional';

/** Rows, row-major. */
export interface Rows {
  readonly values: Float64Array;
  readonly count: number;
  readonly width: number;
}

/** Runs XGBoost and shap in a separate Python process, which explains the same trees. */
export class Peers {
  private readonly lines: AsyncIterator<string>;

  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {
    this.lines = createInterface({ input: process.stdout! })[Symbol.asyncIterator]();
  }

  /**
   * Starts the process.
   * @param folder for the exchanged files
   * @param only leave shap out, for an older XGBoost
   * @returns the peers, and their versions in words
   */
  static async start(folder: string, python: string, only?: 'xgboost'): Promise<[Peers, string]> {
    const script = fileURLToPath(new URL('./peers.py', import.meta.url));
    mkdirSync(folder, { recursive: true });
    const peers = new Peers(spawn(python, [script, only ?? 'all'], { stdio: ['pipe', 'pipe', 'inherit'] }), folder);
    return [peers, await peers.answer()];
  }

  /** @param background the rows that the interventional method compares with */
  async load(ensemble: TreeEnsemble, background: Rows): Promise<void> {
    writeFileSync(this.file('model.json'), toJson(xgboostModel(ensemble)));
    await this.ask(`load ${this.file('model.json')} ${this.write('background.f32', background)}`);
  }

  /** Computes SHAP values: [row][feature]. XGBoost's have the precision of float32. */
  async explain(peer: PeerName, rows: Rows): Promise<Float64Array> {
    await this.ask(`check ${peer} ${this.write('rows.f32', rows)} ${this.file('values.f64')}`);
    return new Float64Array(new Uint8Array(readFileSync(this.file('values.f64'))).buffer);
  }

  /** Measures the seconds of CPU time per row, over at least `seconds`. */
  async time(peer: PeerName, rows: Rows, seconds: number): Promise<number> {
    return Number(await this.ask(`time ${peer} ${this.write('rows.f32', rows)} ${seconds}`));
  }

  stop(): void {
    this.process.stdin!.end();
  }

  private file(name: string): string {
    return join(this.folder, name);
  }

  /** Writes rows as float32. @returns the words that name them to the process */
  private write(name: string, { values, count, width }: Rows): string {
    writeFileSync(this.file(name), Float32Array.from(values.subarray(0, count * width)));
    return `${this.file(name)} ${count} ${width}`;
  }

  private ask(question: string): Promise<string> {
    this.process.stdin!.write(`${question}\n`);
    return this.answer();
  }

  private async answer(): Promise<string> {
    const line = await this.lines.next();
    if (line.done) throw new Error('the Python process ended: check that xgboost and shap are installed for it');
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
