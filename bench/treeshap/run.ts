import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseModel } from '../../src/risk/parse-model.js';
import { createInterventionalExplainer, createPathDependentExplainer } from '../../src/risk/shap/index.js';
import type { TreeEnsemble } from '../../src/risk/tree-ensemble.js';
import { depthCurve } from './depth-curve.js';
import { cpuPerCall, largestDifference, median, printTable } from './measure.js';
import { type Rows, Peers } from './peers.js';

const rounds = 9;
/** The least CPU time of one measurement, in seconds. */
const seconds = 0.05;
/** The rows of one call, of ours and of the peers. The peers gain nothing from more. */
const forests = {
  'i-100x6': { rows: 256, peerRows: 64 },
  'ii-200x8': { rows: 128, peerRows: 16 },
  'iii-500x10': { rows: 64, peerRows: 4 },
};
type ForestName = keyof typeof forests;
const interventionalRows = 64;

interface Expected {
  path_dependent: { shap_values: number[][] };
  interventional: { shap_values: number[][] };
}

const directory = process.argv[2]!;
const folder = mkdtempSync(join(tmpdir(), 'treeshap-'));
const [peers, versions] = await Peers.start(join(folder, 'newest'), process.env['PYTHON'] ?? 'python3');
/** An older XGBoost, whose algorithm is another. */
const [older, olderVersion] = process.env['OLDER_PYTHON']
  ? await Peers.start(join(folder, 'older'), process.env['OLDER_PYTHON'], 'xgboost')
  : [peers, versions];
process.stdout.write(
  `${cpus()[0]!.model}, Node ${process.version}, ${versions}, older: ${olderVersion}: one thread each, in turns, medians of the CPU time ` +
    `of ${rounds} rounds, load average ${loadavg()[0]!.toFixed(1)}\n`,
);
try {
  if (process.argv[3] !== '--curve') await compareForests();
  shippedModel();
  await depthCurve(peers, rounds);
} finally {
  peers.stop();
  older.stop();
  rmSync(folder, { recursive: true });
}

async function compareForests(): Promise<void> {
  const all = floats(join(directory, 'rows.f32'));
  const background = floats(join(directory, 'background.f32'));
  const speed: { path: string[][]; interventional: string[][] } = { path: [], interventional: [] };
  const checks: string[][] = [];
  for (const name of Object.keys(forests) as ForestName[]) {
    const bytes = gunzipSync(readFileSync(join(directory, 'models', `${name}.onnx.gz`)));
    const { ensemble } = parseModel(bytes);
    const width = ensemble.featureCount;
    const rows = (count: number): Rows => ({ values: all.subarray(0, count * width), count, width });
    const expected = JSON.parse(readFileSync(join(directory, `expected-${name}.json`), 'utf8')) as Expected;
    const own = {
      path: createPathDependentExplainer(ensemble),
      interventional: createInterventionalExplainer(ensemble, background, background.length / width),
    };
    for (const each of new Set([peers, older]))
      await each.load(ensemble, { values: background, count: background.length / width, width });

    const some = own.path.explain(rows(16).values, 16);
    const few = own.interventional.explain(rows(8).values, 8);
    checks.push([
      name,
      ...[
        largestDifference(some, expected.path_dependent.shap_values.flat()),
        largestDifference(few, expected.interventional.shap_values.flat()),
        largestDifference(some, await peers.explain('xgboost', rows(16))),
        largestDifference(some, await peers.explain('path', rows(16))),
        largestDifference(few, await peers.explain('interventional', rows(8))),
      ].map((difference) => difference.toExponential(1)),
      ...Object.values(own).map(({ byteLength }) => (byteLength / bytes.length).toFixed(2)),
    ]);

    const { rows: ownRows, peerRows } = forests[name];
    const measureOwn = (method: keyof typeof own, count: number) => () =>
      cpuPerCall(() => own[method].explain(rows(count).values, count), seconds) / count;
    const measured = {
      xgboost: () => peers.time('xgboost', rows(peerRows), seconds),
      olderXgboost: () => older.time('xgboost', rows(peerRows), seconds),
      path: measureOwn('path', ownRows),
      shapPath: () => peers.time('path', rows(peerRows), seconds),
      pathOne: measureOwn('path', 1),
      interventional: measureOwn('interventional', interventionalRows),
      shapInterventional: () => peers.time('interventional', rows(peerRows), seconds),
      interventionalOne: measureOwn('interventional', 1),
    };
    const times = await inTurns(measured);
    const ratio = (peer: number[], ours: number[]) => median(ours.map((time, round) => peer[round]! / time)).toFixed(1);
    const micro = (values: number[]) => (1e6 * median(values)).toFixed(1);
    const title = `${name} (${leavesOf(ensemble)} leaves)`;
    process.stderr.write(`${title}: measured\n`);
    speed.path.push([
      title,
      micro(times.xgboost),
      micro(times.olderXgboost),
      micro(times.shapPath),
      micro(times.path),
      ratio(times.xgboost, times.path),
      ratio(times.olderXgboost, times.path),
      ratio(times.shapPath, times.path),
      micro(times.pathOne),
    ]);
    speed.interventional.push([
      title,
      micro(times.shapInterventional),
      micro(times.interventional),
      ratio(times.shapInterventional, times.interventional),
      micro(times.interventionalOne),
    ]);
  }
  printTable(
    [
      'path-dependent, CPU µs per row',
      'XGBoost pred_contribs',
      'older XGBoost',
      'shap C',
      'RiskGraph',
      'x XGBoost',
      'x older XGBoost',
      'x shap C',
      'RiskGraph, row by row',
    ],
    speed.path,
  );
  printTable(
    [
      'interventional (100 background rows), CPU µs per row',
      'shap C',
      'RiskGraph',
      'x shap C',
      'RiskGraph, row by row',
    ],
    speed.interventional,
  );
  printTable(
    [
      'largest differences',
      'path-dependent - expected',
      'interventional - expected',
      'path-dependent - XGBoost (float32)',
      'path-dependent - shap',
      'interventional - shap',
      'compiled / ONNX',
      'compiled / ONNX, interventional',
    ],
    checks,
  );
}

/** Takes every measure once per round, forwards and backwards in turns. */
async function inTurns<Name extends string>(
  measures: Record<Name, () => number | Promise<number>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(measures) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) times[name].push(await measures[name]());
  }
  return times;
}

/** Measures the model that comes with RiskGraph, one row at a time. */
function shippedModel(): void {
  const file = 'risk-models/heart-disease/model.onnx';
  if (!existsSync(file)) return;
  const bytes = readFileSync(file);
  const { ensemble } = parseModel(bytes);
  const row = new Float64Array(ensemble.featureCount).fill(1);
  const explainer = createPathDependentExplainer(ensemble);
  const times = Array.from({ length: rounds }, () => 1e6 * cpuPerCall(() => explainer.explain(row, 1), seconds));
  printTable(
    ['heart-disease', 'leaves', 'one row, CPU µs', 'compiled / ONNX'],
    [
      [
        'path-dependent',
        String(leavesOf(ensemble)),
        median(times).toFixed(1),
        (explainer.byteLength / bytes.length).toFixed(2),
      ],
    ],
  );
}

function leavesOf(ensemble: TreeEnsemble): number {
  return ensemble.trueChild.reduce((count, child) => count + (child === -1 ? 1 : 0), 0);
}

function floats(file: string): Float64Array {
  const bytes = readFileSync(file);
  return Float64Array.from(new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)));
}
