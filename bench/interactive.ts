/* eslint-disable no-console -- a benchmark prints */
import './jobs/as-served.js';
import { randomBytes } from 'node:crypto';
import { startLoad } from './door/processes.js';
import { startBuild, type Build } from './interactive/build.js';
import { commandCounts, commandsSince } from './interactive/commands.js';
import { cpuByRole } from './interactive/cpu.js';
import { sideMemory } from './interactive/memory.js';
import { watchOthers } from './interactive/others.js';
import { flaskSide, nodeSide, peerSettings } from './interactive/peers.js';
import { checkPeers, copyPatients, ourPredictions } from './interactive/prepare.js';
import {
  piecesOf,
  printMeasured,
  printStarts,
  printSummary,
  type Measured,
  type Started,
} from './interactive/report.js';
import { riskGraphSide } from './interactive/riskgraph.js';
import type { Side } from './interactive/side.js';
import { cpuTimes } from './jobs/cpu-time.js';
import { benchToken } from './jobs/deployment.js';
import { patientIds, startBenchSystem } from './jobs/setup.js';

/*
 * Measures what a clinician does, as a client over HTTP and WebSocket: read a list of 50 patients, one patient, and one
 * prediction with its explanation; submit single jobs and follow each; submit single jobs and follow all by one
 * `predictionCreated`; wait for the result of a job, at 10 jobs per second. Everything is on as in production: audit,
 * encryption, identity, limits.
 *
 *   bench/interactive.ts [rounds] [seconds] [folders of other builds...]
 *   bench/interactive.sh [rounds] [seconds] [folders of other builds...]     with the peers, which it installs first
 *
 * Environment:
 *   PEERS=flask,mercurius,apollo   the peers to measure (bench/peer/README.md); none when it is absent
 *   PEER_FOLDER=FOLDER             the folder that bench/peer/set-up.sh has filled
 *   POLL_MS=50,10                  the periods at which jobs of the Flask peer are polled, milliseconds
 *   WORK=list                      measures only the works whose names contain this text
 *   COMMANDS=1                     prints MongoDB's commands per piece of work too
 *   PAGES=10                       asks for as many pages of the list in turn, so that callers seldom share a query
 *   PROFILES=FOLDER                writes a CPU profile of each API process there
 *   API_OPTIONS=--trace-gc-nvp     further options of Node.js for the API; what they print is shown
 *
 * The sides take turns in each round, on the same MongoDB and Redis and on the same rows. Only the side whose turn it is
 * runs. With no folder, this build is measured (npm run build first). With peers, the run first checks that all sides
 * answer the same: the list, a patient, and 100 predictions with their contributions. Beside each rate stands the CPU
 * time per piece of work, by role, which hardly depends on other work of the machine. The clients are not part of it.
 * At the end stand the time from the start of a side to its first result, and its memory (PSS) then and at most, engines
 * apart.
 * The last line tells how much of the machine other processes used.
 */
const [rounds, seconds] = [Number(process.argv[2] ?? 5), Number(process.argv[3] ?? 5)];
const builds: Build[] = [
  { name: 'this build', folder: new URL('../dist', import.meta.url).pathname },
  ...process.argv.slice(4).map((folder) => ({ name: folder, folder })),
];
const peers = (process.env.PEERS ?? '').split(',').filter(Boolean);
const pollMs = (process.env.POLL_MS ?? '50,10').split(',').map(Number);
const patients = 500;

const system = await startBenchSystem(patients, {
  NODE_ENV: 'production',
  ENCRYPTION_KEYS: `bench:${randomBytes(32).toString('hex')}`,
});
const { database } = system.app;
const seen: Measured[] = [];
const starts: Started[] = [];
try {
  const load = await startLoad();
  const sides = await startSides();
  for (let round = 0; round <= rounds; round += 1) {
    for (const side of round % 2 === 1 ? sides : [...sides].reverse()) {
      const launched = performance.now();
      const { works, stop, score } = await side.start();
      await score?.();
      const firstResult = (performance.now() - launched) / 1_000;
      const idle = sideMemory();
      let largest = idle;
      for (const { name, way, run } of works) {
        const work = way === undefined ? name : `${name}, ${way}`;
        if (!work.includes(process.env.WORK ?? '')) continue;
        await run(2);
        const commands = process.env.COMMANDS ? await commandCounts(database) : undefined;
        const [before, others, begun] = [cpuTimes(), watchOthers(), performance.now()];
        const done = await run(seconds);
        const measured: Measured = {
          ...{ work: name, side: way === undefined ? side.name : `${side.name}, ${way}`, done },
          seconds: (performance.now() - begun) / 1_000,
          cpu: cpuByRole(before, piecesOf(done)),
          others: others(),
        };
        largest = Math.max(largest, sideMemory());
        printMeasured(round === 0 ? 'warm-up' : `round ${round}`, measured);
        if (commands)
          console.log(`  commands: ${commandsSince(commands, await commandCounts(database), piecesOf(done))}`);
        if (round > 0) seen.push(measured);
      }
      if (round > 0 && score) starts.push({ side: side.name, seconds: firstResult, idle, largest });
      await stop();
    }
  }
  async function startSides(): Promise<Side[]> {
    const token = await benchToken(system.app, system.viewer);
    const ids = await patientIds(system.app.models, patients);
    const { url, client, stop } = await startBuild(builds[0]!, system.environment, token);
    const predictions = await ourPredictions(client, ids.slice(0, 100));
    const ours = {
      ...{ environment: system.environment, token, load, patientIds: ids },
      predictionIds: predictions.map(({ id }) => id),
    };
    const sides = builds.map((build) => riskGraphSide(build, ours));
    if (peers.length > 0) {
      const folder = process.env.PEER_FOLDER;
      if (!folder) throw new Error('PEER_FOLDER is not set: start bench/interactive.sh instead');
      const settings = await peerSettings(folder, system.engines, ids);
      await copyPatients(client, database);
      const checked = await checkPeers({ url, client, token }, settings, predictions);
      console.log(`All sides answer the same. ${checked.found}.`);
      const theirs = checked.predictions.map(({ id }) => id);
      const made: Record<string, () => Side> = {
        flask: () => flaskSide(settings, theirs, { load, pollMs }),
        mercurius: () => nodeSide('Mercurius + JIT, token check only', 'mercurius', settings, load),
        apollo: () => nodeSide('Apollo + Fastify, token check only', 'apollo', settings, load),
      };
      for (const name of peers) {
        if (!made[name]) throw new Error(`PEERS has no ${name}, but ${Object.keys(made).join(', ')}`);
        sides.push(made[name]());
      }
    }
    await stop();
    return sides;
  }
} finally {
  await system.close();
}
printStarts(starts);
printSummary(seen);
process.exit(0);
