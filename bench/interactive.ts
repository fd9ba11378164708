/* eslint-disable no-console -- a benchmark prints */
import './jobs/as-served.js';
import { randomBytes } from 'node:crypto';
import { startLoad } from './door/processes.js';
import { startBuild, type Build } from './interactive/build.js';
import { readWorks } from './interactive/reads.js';
import { followAll, followEach } from './interactive/jobs.js';
import { cpuSince, cpuTimes } from './jobs/cpu-time.js';
import { benchToken } from './jobs/deployment.js';
import { median, patientIds, startBenchSystem } from './jobs/setup.js';

/*
 * Measures what a clinician does, as a client over HTTP and WebSocket: read a list of 50 patients, one patient, and one
 * prediction with its explanation; submit single jobs and follow each; submit single jobs and follow all by one
 * `predictionCreated`. Everything is on as in production: audit, encryption, identity, limits.
 *
 *   bench/interactive.ts [rounds] [seconds] [folders of other builds...]
 *
 * The builds take turns in each round, on the same databases. With no folder, this build is measured alone (npm run
 * build first). Beside each rate stands the CPU time per piece of work, by role, which hardly depends on other work of
 * the machine. The client is not part of it.
 */
const [rounds, seconds] = [Number(process.argv[2] ?? 5), Number(process.argv[3] ?? 5)];
const builds: Build[] = [
  { name: 'this build', folder: new URL('../dist', import.meta.url).pathname },
  ...process.argv.slice(4).map((folder) => ({ name: folder, folder })),
];
const patients = 500;

const system = await startBenchSystem(patients, {
  NODE_ENV: 'production',
  ENCRYPTION_KEYS: `bench:${randomBytes(32).toString('hex')}`,
});
const seen = new Map<string, { rates: number[]; cpu: string[] }>();
try {
  const token = await benchToken(system.app, system.viewer);
  const ids = await patientIds(system.app.models, patients);
  const load = await startLoad();
  for (let round = 0; round <= rounds; round += 1) {
    for (const build of round % 2 === 0 ? builds : [...builds].reverse()) {
      const server = await startBuild(build, system.environment, token);
      const note = (work: string, pieces: number, before: ReturnType<typeof cpuTimes>, seconds: number): void => {
        // The first round makes the predictions that the others read, and warms up.
        if (round === 0) return;
        const key = `${work} | ${build.name}`;
        const entry = seen.get(key) ?? { rates: [], cpu: [] };
        seen.set(key, entry);
        entry.rates.push(pieces / seconds);
        entry.cpu.push(cpuSince(before, pieces));
        console.log(
          `round ${round} | ${key} | ${(pieces / seconds).toFixed(0)} per second | CPU us: ${entry.cpu.at(-1)}`,
        );
      };
      for (const [work, follow] of [
        ['single jobs, 64 in flight, a subscription each', followEach],
        ['single jobs, 64 in flight, one predictionCreated', followAll],
      ] as const) {
        await follow(server.client, ids, { inFlight: 64, seconds: 1 });
        const before = cpuTimes();
        const begun = performance.now();
        const done = await follow(server.client, ids, { inFlight: 64, seconds });
        note(work, done, before, (performance.now() - begun) / 1_000);
      }
      for (const { work, bodies, connections } of await readWorks(server.client, ids)) {
        const order = { url: server.url, token, bodies, connections };
        await load({ ...order, seconds: 2 });
        const before = cpuTimes();
        note(work, await load({ ...order, seconds }), before, seconds);
      }
      await server.stop();
    }
  }
} finally {
  await system.close();
}
console.log('\nMedians:');
for (const [key, { rates, cpu }] of [...seen].sort(([a], [b]) => a.localeCompare(b))) {
  const sums = cpu.map((text) => Number(/sum ([\d.]+)/.exec(text)![1]));
  const typical = cpu[sums.indexOf(median(sums))]!;
  console.log(`${key} | ${median(rates).toFixed(0)} per second | CPU us: ${typical}`);
}
process.exit(0);
