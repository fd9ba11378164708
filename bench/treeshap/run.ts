import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseModel } from '../../src/risk/parse-model.js';
import { createInterventionalExplainer, createPathDependentExplainer } from '../../src/risk/shap/index.js';
import type { TreeEnsemble } from '../../src/risk/tree-ensemble.js';
import { depthCurve } from './depth-curve.js';
import { callsPerSecond, largestDifference, median, printTable } from './measure.js';
import { XgboostPeer } from './xgboost-peer.js';

const rounds = 5;
const batch = 256;
/** Speed of shap 0.49.1's C extension divided by XGBoost's pred_contribs. Both were measured on one machine. */
const recordedRatio = {
  'i-100x6': { pathDependent: 1660.5 / 1441.8, interventional: 297.8 / 1441.8 },
  'ii-200x8': { pathDependent: 203.9 / 170.4, interventional: 68.9 / 170.4 },
  'iii-500x10': { pathDependent: 29.6 / 25.5, interventional: 14.6 / 25.5 },
};
type ModelName = keyof typeof recordedRatio;

interface Expected {
  path_dependent: { shap_values: number[][] };
  interventional: { shap_values: number[][] };
}

const directory = process.argv[2]!;
const folder = mkdtempSync(join(tmpdir(), 'treeshap-'));
const [peer, version] = await XgboostPeer.start(folder, process.env['PYTHON'] ?? '/usr/bin/python3');
process.stdout.write(
  `${cpus()[0]!.model}, Node ${process.version}, XGBoost ${version}, one thread each, alternating, median of ` +
    `${rounds}\n`,
);
try {
  if (process.argv[3] !== '--curve') await compareForests();
  shippedModel();
  await depthCurve(peer, rounds);
} finally {
  peer.stop();
  rmSync(folder, { recursive: true });
}

async function compareForests(): Promise<void> {
  const rows = floats(join(directory, 'rows.f32'));
  const background = floats(join(directory, 'background.f32'));
  const speed: string[][] = [];
  const checks: string[][] = [];
  for (const name of Object.keys(recordedRatio) as ModelName[]) {
    const bytes = gunzipSync(readFileSync(join(directory, 'models', `${name}.onnx.gz`)));
    const { ensemble } = parseModel(bytes);
    const width = ensemble.featureCount;
    const expected = JSON.parse(readFileSync(join(directory, `expected-${name}.json`), 'utf8')) as Expected;
    const pathDependent = createPathDependentExplainer(ensemble);
    const interventional = createInterventionalExplainer(ensemble, background, background.length / width);
    await peer.load(ensemble);

    const sample = rows.subarray(0, 16 * width);
    const many = rows.subarray(0, batch * width);
    const first = rows.subarray(0, width);
    checks.push([
      name,
      largestDifference(pathDependent.explain(sample, 16), expected.path_dependent.shap_values.flat()).toExponential(1),
      largestDifference(
        interventional.explain(rows.subarray(0, 8 * width), 8),
        expected.interventional.shap_values.flat(),
      ).toExponential(1),
      largestDifference(pathDependent.explain(sample, 16), await peer.explain(sample, 16, width)).toExponential(1),
      (pathDependent.byteLength / bytes.length).toFixed(2),
      (interventional.byteLength / bytes.length).toFixed(2),
    ]);

    const rates = {
      xgboost: [] as number[],
      path: [] as number[],
      pathOne: [] as number[],
      interventional: [] as number[],
      interventionalOne: [] as number[],
    };
    const peerRows = { 'i-100x6': 256, 'ii-200x8': 64, 'iii-500x10': 16 }[name];
    for (let round = 0; round < rounds; round++) {
      rates.xgboost.push(await peer.time(many, peerRows, width, 0.5));
      rates.path.push(batch * callsPerSecond(() => pathDependent.explain(many, batch), 0.5));
      rates.pathOne.push(callsPerSecond(() => pathDependent.explain(first, 1), 0.5));
      rates.interventional.push(
        64 * callsPerSecond(() => interventional.explain(rows.subarray(0, 64 * width), 64), 0.5),
      );
      rates.interventionalOne.push(callsPerSecond(() => interventional.explain(first, 1), 0.5));
    }
    const ratio = (own: number[], factor: number) =>
      median(own.map((rate, round) => rate / (rates.xgboost[round]! * factor))).toFixed(1);
    speed.push([
      `${name} (${leavesOf(ensemble)} leaves)`,
      median(rates.xgboost).toFixed(1),
      median(rates.path).toFixed(0),
      ratio(rates.path, 1),
      (1e6 / median(rates.pathOne)).toFixed(0),
      median(rates.interventional).toFixed(0),
      ratio(rates.interventional, recordedRatio[name].interventional),
      (1e6 / median(rates.interventionalOne)).toFixed(0),
    ]);
  }
  printTable(
    [
      'forest',
      'XGBoost pred_contribs, rows/s',
      'path-dependent, rows/s',
      'x XGBoost',
      'one row, µs',
      'interventional (100), rows/s',
      'x shap C (by recorded ratio)',
      'one row, µs',
    ],
    speed,
  );
  printTable(
    [
      'forest',
      'path-dependent - expected',
      'interventional - expected',
      'path-dependent - XGBoost (float32)',
      'compiled / ONNX',
      'compiled / ONNX, interventional',
    ],
    checks,
  );
}

/** Measures the model that comes with RiskGraph, one row at a time. */
function shippedModel(): void {
  const file = 'risk-models/heart-disease/model.onnx';
  if (!existsSync(file)) return;
  const bytes = readFileSync(file);
  const { ensemble } = parseModel(bytes);
  const row = new Float64Array(ensemble.featureCount).fill(1);
  const explainer = createPathDependentExplainer(ensemble);
  const times = Array.from({ length: rounds }, () => 1e6 / callsPerSecond(() => explainer.explain(row, 1), 0.5));
  printTable(
    ['heart-disease', 'leaves', 'one row, µs', 'compiled / ONNX'],
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
