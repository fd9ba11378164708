/**
 * Cohorts in and results out: rows per second, and the peak of the resident memory of the API, the worker and the
 * command, for cohorts of several sizes.
 *
 *     npm run build
 *     node --import @swc-node/register/esm-register bench/bulk.ts 10000 100000
 *     node --import @swc-node/register/esm-register bench/bulk.ts 10000 --command OTHER/dist/src/cli.js
 *
 * Each cohort is scored by `riskgraph score`: first with new patients, then with the same again. With `--command`, the
 * `score` of another build runs against the same API first.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Role } from '../models/index.js';
import { startServerProcess } from '../src/commands/server-process.js';
import { startBenchSystem } from './jobs/setup.js';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { command: { type: 'string' } } });
const sizes = positionals.length > 0 ? positionals.map(Number) : [10_000, 100_000];
const ours = new URL('../dist/src/cli.js', import.meta.url).pathname;
const columns = 'mrn,age,sex,chest_pain_type,resting_bp,cholesterol,max_heart_rate,exercise_angina,st_depression';

/** A line of a cohort. The values vary with the number of the patient. */
const lineOf = (prefix: string, number: number): string =>
  [
    `${prefix}-${number}`,
    30 + (number % 45),
    number % 2,
    1 + (number % 4),
    100 + (number % 80),
    150 + (number % 200),
    90 + (number % 90),
    (number >> 1) % 2,
    (number % 40) / 10,
  ].join();

/** The highest resident memory of a process since `forgetPeak`, MiB. Linux only. */
function peakOf(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** https://www.kernel.org/doc/html/latest/filesystems/proc.html: 5 sets the peak to what is resident now. */
const forgetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5');

const system = await startBenchSystem(0);
const folder = await mkdtemp(join(tmpdir(), 'riskgraph-bulk-'));
const [api, worker] = await Promise.all([
  startServerProcess('api', system.environment),
  startServerProcess('worker', system.environment),
]);

async function score(
  command: string,
  file: string,
  out: string,
): Promise<{ readonly seconds: number; readonly peak: number }> {
  const { organizationId, username } = system.viewer;
  const token = await system.app.accessTokens.sign({ username, role: Role.CLINICIAN, organizationId }, 24 * 3600);
  const begun = performance.now();
  const child = spawn(process.execPath, [command, 'score', file, '--out', out, '--url', api.url], {
    env: { ...process.env, ...system.environment, RISKGRAPH_TOKEN: token },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (data: Buffer) => (errors = (errors + data.toString()).slice(-2_000)));
  let peak = 0;
  const sampling = setInterval(() => (peak = Math.max(peak, peakOf(child.pid!))), 100);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearInterval(sampling);
  if (code !== 0) throw new Error(`score ended with ${code}: ${errors}`);
  return { seconds: (performance.now() - begun) / 1000, peak };
}

async function run(label: string, command: string, count: number, prefix: string): Promise<void> {
  const file = join(folder, `${prefix}.csv`);
  const out = join(folder, `${prefix}-out.csv`);
  const lines = Array.from({ length: count }, (_unused, index) => lineOf(prefix, index + 1));
  await writeFile(file, `${columns}\n${lines.join('\n')}\n`);
  [api, worker].forEach(({ pid }) => forgetPeak(pid));
  const { seconds, peak } = await score(command, file, out);
  const megabytes = (await stat(out)).size / 1024 / 1024;
  process.stdout.write(
    `${label.padEnd(28)} ${String(count).padStart(8)} rows ${seconds.toFixed(1).padStart(7)} s ` +
      `${(count / seconds).toFixed(0).padStart(7)} rows/s   peak MiB: api ${peakOf(api.pid).toFixed(0)}, ` +
      `worker ${peakOf(worker.pid).toFixed(0)}, command ${peak.toFixed(0)}   (${megabytes.toFixed(1)} MiB out)\n`,
  );
}

try {
  for (const count of sizes) {
    if (values.command) await run('other build, new patients', values.command, count, `O${count}`);
    await run('new patients', ours, count, `N${count}`);
    await run('the same patients again', ours, count, `N${count}`);
  }
} finally {
  await Promise.all([api.stop(), worker.stop()]);
  await system.close();
  await rm(folder, { recursive: true });
}
