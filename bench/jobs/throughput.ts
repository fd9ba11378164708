/* eslint-disable no-console -- a benchmark prints */
import './as-served.js';
import { Queue } from 'bullmq';
import { ScoringJobState } from '../../models/index.js';
import { startServerProcess } from '../../src/commands/server-process.js';
import { spawnEntry } from '../../src/embedded/spawn-entry.js';
import { cpuSince, cpuTimes } from './cpu-time.js';
import { inParallel, median, patientIds, startBenchSystem, type BenchSystem } from './setup.js';

// Measures single jobs per second, end to end with one worker process. They are compared with a floor in the same run:
// BullMQ moves empty jobs, each after one acknowledged ({ w: majority, j: true }) insert. Both sides take turns; 128
// jobs are submitted at a time.
const rounds = Number(process.argv[2] ?? 5);
const jobs = Number(process.argv[3] ?? 2000);
const parallel = 128;
const concurrency = process.argv[4] ?? '128';
/** Also prints the CPU time per job of every process. */
const showCpu = process.argv[5] === 'cpu';

const system = await startBenchSystem(200, { WORKER_CONCURRENCY: concurrency });
try {
  const ids = await patientIds(system.app.models, 200);
  const worker = await startServerProcess('worker', system.environment);
  const floor = await startFloor(system);
  const ratios: number[] = [];
  await ourRound(system, ids, 500);
  await floor.round(500);
  for (let round = 1; round <= rounds; round += 1) {
    const beforeFloor = cpuTimes();
    const floorRate = await floor.round(jobs);
    if (showCpu) console.log(`CPU of the floor, us per job: ${cpuSince(beforeFloor, jobs)}`);
    const before = cpuTimes();
    const ourRate = await ourRound(system, ids, jobs);
    if (showCpu) console.log(`CPU of RiskGraph, us per job: ${cpuSince(before, jobs)}`);
    ratios.push(ourRate / floorRate);
    console.log(
      `round ${round}: floor ${floorRate.toFixed(0)} jobs/s, RiskGraph ${ourRate.toFixed(0)} jobs/s, ratio ` +
        `${(ourRate / floorRate).toFixed(2)}`,
    );
  }
  console.log(`median ratio ${median(ratios).toFixed(2)} over ${rounds} rounds of ${jobs} jobs`);
  await floor.close();
  await worker.stop();
} finally {
  await system.close();
}
process.exit(0);

async function ourRound({ app, viewer }: BenchSystem, ids: string[], count: number): Promise<number> {
  const open = new Set<string>();
  let allDone: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => (allDone = resolve));
  let submittedAll = false;
  let stored = 0;
  const stop = app.events.subscribe('predictionsCreated', (event) => {
    stored += event.count;
    if (submittedAll && stored >= count) allDone();
  });
  const start = performance.now();
  await inParallel(count, parallel, async (index) => {
    const job = await app.jobs.submit(viewer, { patientId: ids[index % ids.length]!, modelId: 'heart-disease' });
    open.add(job._id.toHexString());
  });
  submittedAll = true;
  if (stored >= count) allDone();
  await finished;
  const seconds = (performance.now() - start) / 1000;
  stop();
  const left = await app.models.scoringJobs.countDocuments({ 'status.state': { $ne: ScoringJobState.COMPLETED } });
  if (left > 0) throw new Error(`${left} jobs are not COMPLETED`);
  return count / seconds;
}

async function startFloor({ app, engines }: BenchSystem) {
  const child = spawnEntry(new URL('./floor-worker.js', import.meta.url), {
    args: [engines.redisUrl, 'bench-floor', concurrency],
  });
  await new Promise((resolve) => child.once('message', resolve));
  const connection = app.connectRedis('waiting');
  const queue = new Queue('floor', { connection, prefix: 'bench-floor' });
  const collection = app.database.collection('floor');
  let done = 0;
  let wake: () => void = () => undefined;
  child.on('message', (message: { done: number }) => {
    done = message.done;
    wake();
  });
  return {
    async round(count: number): Promise<number> {
      const target = Math.floor(done / 100) * 100 + count;
      const start = performance.now();
      await inParallel(count, parallel, async (index) => {
        await collection.insertOne({ index });
        await queue.add('empty', { index }, { removeOnComplete: true });
      });
      while (done < target) await new Promise<void>((resolve) => (wake = resolve));
      return count / ((performance.now() - start) / 1000);
    },
    async close() {
      child.kill('SIGKILL');
      await queue.close();
      connection.disconnect();
    },
  };
}
