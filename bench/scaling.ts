/* eslint-disable no-console -- a benchmark prints */
import './jobs/as-served.js';
import { randomBytes } from 'node:crypto';
import { cpus } from 'node:os';
import { startLoad, type Load } from './door/processes.js';
import { startGroup, type RunningGroup } from './interactive/build.js';
import { commandCounts, commandsSince } from './interactive/commands.js';
import { cpuByRole } from './interactive/cpu.js';
import { score } from './interactive/jobs.js';
import { watchOthers } from './interactive/others.js';
import { patientQuery, queryBodies } from './interactive/reads.js';
import { printMeasured, printSummary, type Measured } from './interactive/report.js';
import { repeat, workNames } from './interactive/side.js';
import { cpuTimes } from './jobs/cpu-time.js';
import { benchToken } from './jobs/deployment.js';
import { patientIds, startBenchSystem } from './jobs/setup.js';

/*
 * Measures how a deployment grows: 1, 2 and 4 API processes and workers, on one MongoDB and one Redis. Work, clients and
 * measurement are those of bench/interactive.ts, with as many clients for each API process as there. All patients are of one
 * organization, whose audit chain and log all processes share.
 *
 *   bench/scaling.ts [rounds] [seconds]     npm run build first
 *   SIZES=1+2                               measures only 1 API with 2 workers; several with a comma between them
 *
 * It prints MongoDB's commands per piece too. A rate tells how the deployment grows only where each process has a processor
 * of its own. On a smaller machine the CPU time per piece tells what the processes cost each other.
 */
const [rounds, seconds] = [Number(process.argv[2] ?? 3), Number(process.argv[3] ?? 4)];
const build = { name: 'this build', folder: new URL('../dist', import.meta.url).pathname };
const wanted = process.env.SIZES?.split(',');
const sizes = [
  { apis: 1, workers: 1 },
  { apis: 2, workers: 1 },
  { apis: 1, workers: 2 },
  { apis: 2, workers: 2 },
  { apis: 4, workers: 1 },
  { apis: 4, workers: 4 },
].filter(({ apis, workers }) => wanted?.includes(`${apis}+${workers}`) ?? true);
const largest = Math.max(...sizes.map(({ apis }) => apis));
const connections = 32;
/** A new process answers its first requests slowly. Seconds. */
const warmUpSeconds = 5;
const patients = 500;

const system = await startBenchSystem(patients, {
  NODE_ENV: 'production',
  ENCRYPTION_KEYS: `bench:${randomBytes(32).toString('hex')}`,
});
const seen: Measured[] = [];
try {
  const loads = await Promise.all(Array.from({ length: largest }, startLoad));
  const token = await benchToken(system.app, system.viewer);
  const ids = await patientIds(system.app.models, patients);
  for (let round = 0; round <= rounds; round += 1) {
    for (const size of round % 2 === 1 ? sizes : [...sizes].reverse()) {
      const group = await startGroup(build, system.environment, token, size);
      const side = `${size.apis} API, ${size.workers} workers`;
      for (const [work, run] of worksOf(group, { loads, token, ids })) {
        await run(warmUpSeconds);
        const commands = await commandCounts(system.app.database);
        const [before, others, begun] = [cpuTimes(), watchOthers(), performance.now()];
        const done = await run(seconds);
        const measured: Measured = {
          ...{ work, side, done },
          seconds: (performance.now() - begun) / 1_000,
          cpu: cpuByRole(before, done),
          others: others(),
        };
        printMeasured(round === 0 ? 'warm-up' : `round ${round}`, measured);
        console.log(`  commands: ${commandsSince(commands, await commandCounts(system.app.database), done)}`);
        if (round > 0) seen.push(measured);
      }
      await group.stop();
    }
  }
} finally {
  await system.close();
}
printSummary(seen);
console.log(`This machine has ${cpus().length} processors.`);
process.exit(0);

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** What the clients do, by name. Each returns the number of pieces. */
function worksOf(
  { urls, clients }: RunningGroup,
  { loads, token, ids }: { readonly loads: readonly Load[]; readonly token: string; readonly ids: readonly string[] },
): [string, (seconds: number) => Promise<number>][] {
  const bodies = queryBodies(patientQuery, ids);
  return [
    [
      `${workNames.jobs}, a subscription each`,
      async (time) =>
        total(
          await Promise.all(
            clients.map((client) =>
              repeat(async (index) => {
                await score(client, ids[index % ids.length]!);
              }, time),
            ),
          ),
        ),
    ],
    [
      workNames.patient,
      async (time) =>
        total(
          await Promise.all(
            urls.map((url, index) => loads[index]!({ url, token, bodies, connections, seconds: time })),
          ),
        ),
    ],
  ];
}
