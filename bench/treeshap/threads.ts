/**
 * Measures path-dependent SHAP on one thread and on two, in turns:
 *   node --import @swc-node/register/esm-register bench/treeshap/threads.ts [DIRECTORY] [ROUNDS] [FOREST ...]
 * DIRECTORY is that of bench/treeshap.sh. "By CPU" compares the CPU time per row. It shows how two threads scale when
 * both have a core of their own; the elapsed time shows it only while nothing else runs.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import { parseModel } from '../../src/risk/parse-model.js';
import { createPathDependentExplainer } from '../../src/risk/shap/index.js';
import { median, printTable } from './measure.js';

const rowCount = 64;
const calls = 40;

if (isMainThread) await compare();
else explain(workerData as string);

async function compare(): Promise<void> {
  const [directory = '../shared/bench/treeshap', rounds = '7', ...names] = process.argv.slice(2);
  const lines: string[][] = [];
  for (const name of names.length > 0 ? names : ['i-100x6', 'ii-200x8']) {
    const file = join(directory, 'models', `${name}.onnx.gz`);
    const workers = [1, 2].map(() => new Worker(new URL(import.meta.url), { workerData: file }));
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    const ratios = { elapsed: [] as number[], cpu: [] as number[] };
    for (let round = 0; round < Number(rounds); round++) {
      const [one, two] = [await measure(workers.slice(0, 1)), await measure(workers)];
      ratios.elapsed.push((2 * one.elapsed) / two.elapsed);
      ratios.cpu.push((2 * one.cpu) / two.cpu);
    }
    await Promise.all(workers.map((worker) => worker.terminate()));
    const cells = Object.values(ratios).map(
      (values) =>
        `${median(values).toFixed(2)} (${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)})`,
    );
    lines.push([name, ...cells]);
  }
  printTable(['forest', 'two threads / one, by elapsed time', 'CPU per row of one / of two'], lines);
}

/** Lets every worker explain the same number of rows. */
async function measure(workers: readonly Worker[]): Promise<{ elapsed: number; cpu: number }> {
  const start = performance.now();
  const before = process.cpuUsage();
  const ends = workers.map((worker) => once(worker, 'message'));
  for (const worker of workers) worker.postMessage('go');
  await Promise.all(ends);
  const { user, system } = process.cpuUsage(before);
  return { elapsed: performance.now() - start, cpu: user + system };
}

function explain(file: string): void {
  const { ensemble } = parseModel(gunzipSync(readFileSync(file)));
  const explainer = createPathDependentExplainer(ensemble);
  const rows = Float64Array.from({ length: rowCount * ensemble.featureCount }, (_, place) => Math.sin(place));
  explainer.explain(rows, rowCount);
  parentPort!.on('message', () => {
    for (let call = 0; call < calls; call++) explainer.explain(rows, rowCount);
    parentPort!.postMessage('done');
  });
  parentPort!.postMessage('ready');
}
