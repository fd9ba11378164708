/**
 * Compares the CPU time of SHAP with that of another checkout, in one process and in turns:
 *   node --import @swc-node/register/esm-register bench/treeshap/against.ts CHECKOUT [DIRECTORY] [ROUNDS] [FOREST ...]
 * DIRECTORY is that of bench/treeshap.sh. CHECKOUT needs node_modules.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import * as parsing from '../../src/risk/parse-model.js';
import * as shap from '../../src/risk/shap/index.js';
import { cpuPerCall, median, printTable } from './measure.js';

/** The least CPU time of one measurement, in seconds. Short ones change places often. */
const seconds = 0.012;
const rowCount = 32;

const [checkout, directory = '../shared/bench/treeshap', rounds = '31', ...names] = process.argv.slice(2);
if (!checkout) throw new Error('name the other checkout: bench/treeshap/against.ts CHECKOUT');
const other = {
  parsing: (await import(resolve(checkout, 'src/risk/parse-model.ts'))) as typeof parsing,
  shap: (await import(resolve(checkout, 'src/risk/shap/index.ts'))) as typeof shap,
};
const all = floats(join(directory, 'rows.f32'));
const background = floats(join(directory, 'background.f32'));
const lines: string[][] = [];
for (const name of names.length > 0 ? names : ['i-100x6', 'ii-200x8', 'iii-500x10']) {
  const bytes = gunzipSync(readFileSync(join(directory, 'models', `${name}.onnx.gz`)));
  for (const method of ['path-dependent', 'interventional'] as const) {
    const calls = [other, { parsing, shap }].map((from) => {
      const { ensemble } = from.parsing.parseModel(bytes);
      const width = ensemble.featureCount;
      const explainer =
        method === 'path-dependent'
          ? from.shap.createPathDependentExplainer(ensemble)
          : from.shap.createInterventionalExplainer(ensemble, background, background.length / width);
      const rows = all.subarray(0, rowCount * width);
      return () => explainer.explain(rows, rowCount);
    });
    const times = calls.map((call) => {
      cpuPerCall(call, seconds);
      return [] as number[];
    });
    for (let round = 0; round < Number(rounds); round++) {
      for (const place of round % 2 === 0 ? [0, 1] : [1, 0])
        times[place]!.push((1e6 * cpuPerCall(calls[place]!, seconds)) / rowCount);
    }
    const [theirs, ours] = times as [number[], number[]];
    lines.push([
      name,
      method,
      median(theirs).toFixed(1),
      median(ours).toFixed(1),
      median(ours.map((time, round) => theirs[round]! / time)).toFixed(2),
      (Math.min(...theirs) / Math.min(...ours)).toFixed(2),
    ]);
  }
}
printTable(['forest', 'method', 'other checkout, CPU µs per row', 'this one', 'x, median', 'x, best of each'], lines);

function floats(file: string): Float64Array {
  const bytes = readFileSync(file);
  return Float64Array.from(new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)));
}
