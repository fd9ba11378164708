/**
 * Counts what bounds the kernels on a processor with these caches, without its counters:
 *   node --import @swc-node/register/esm-register bench/treeshap/limits.ts [DIRECTORY] [ROWS]
 * DIRECTORY is that of bench/treeshap.sh. The kernels run with a report of every load and store. The reports drive two
 * caches that forget the line used least recently. Other work does not change the counts. Then it measures how fast one
 * thread reads memory, in the caches and beyond them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseModel } from '../../src/risk/parse-model.js';
import { createInterventionalExplainer, createPathDependentExplainer } from '../../src/risk/shap/index.js';
import { isLeaf } from '../../src/risk/shap/routing.js';
import { CountingMemory } from './counting-memory.js';
import { cpuPerCall, median, printTable } from './measure.js';

const [directory = '../shared/bench/treeshap', rowCount = '64'] = process.argv.slice(2);
const rowsCounted = Number(rowCount);

const lines: string[][] = [];
for (const name of ['i-100x6', 'ii-200x8', 'iii-500x10']) {
  const { ensemble } = parseModel(gunzipSync(readFileSync(join(directory, 'models', `${name}.onnx.gz`))));
  const width = ensemble.featureCount;
  const leaves = ensemble.trueChild.reduce((count, _, node) => count + (isLeaf(ensemble, node) ? 1 : 0), 0);
  const rows = floats('rows.f32').subarray(0, rowsCounted * width);
  const background = floats('background.f32');
  for (const method of ['path-dependent', 'interventional'] as const) {
    const memory = new CountingMemory();
    const explainer =
      method === 'path-dependent'
        ? createPathDependentExplainer(ensemble, { memory })
        : createInterventionalExplainer(ensemble, background, background.length / width, { memory });
    explainer.explain(rows, rowsCounted);
    lines.push([
      name,
      method,
      ...[memory.accesses, memory.bytes, memory.first.misses, memory.second.misses].map((count) =>
        (count / rowsCounted / leaves).toFixed(2),
      ),
    ]);
  }
}
printTable(
  ['forest', 'method', 'loads and stores per leaf', 'bytes', 'first-level misses', 'second-level misses'],
  lines,
);

const speeds = [16, 256, 4096, 262_144].map((kilobytes) => {
  const values = new Float64Array(kilobytes * 128).fill(1);
  const sum = (): number => {
    let [a, b, c, d] = [0, 0, 0, 0];
    // One number per line of 64 bytes: the lines are what moves.
    for (let place = 0; place < values.length; place += 32) {
      a += values[place]!;
      b += values[place + 8]!;
      c += values[place + 16]!;
      d += values[place + 24]!;
    }
    return a + b + c + d;
  };
  for (let call = 0; call < 20; call++) sum();
  const times = Array.from({ length: 9 }, () => cpuPerCall(() => sum(), 0.02));
  return [`${kilobytes} KiB`, ((values.length * 8) / median(times) / 1e9).toFixed(1)];
});
printTable(['read again and again, in order', 'GB/s, median of 9'], speeds);

function floats(file: string): Float64Array {
  const bytes = readFileSync(join(directory, file));
  return Float64Array.from(new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)));
}
