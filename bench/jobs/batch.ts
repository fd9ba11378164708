/* eslint-disable no-console -- a benchmark prints */
import './as-served.js';
import { ScoringJobState } from '../../models/index.js';
import { startServerProcess } from '../../src/commands/server-process.js';
import { spawnEntry } from '../../src/embedded/spawn-entry.js';
import { cpuSince, cpuTimes } from './cpu-time.js';
import { median, startBenchSystem, type BenchSystem } from './setup.js';

// Measures patients per second of a batch, end to end with one worker process. It is compared with the bare engine,
// which encodes, scores and explains the same patients in a loop in one process (bench/jobs/bare-engine.ts). Both take
// turns in the same run.
const rounds = Number(process.argv[2] ?? 3);
const patients = Number(process.argv[3] ?? 20_000);
/** Also prints the CPU time per patient of every process. */
const showCpu = process.argv[4] === 'cpu';

const system = await startBenchSystem(patients);
try {
  const worker = await startServerProcess('worker', system.environment);
  const bareEngine = await startBareEngine(system);
  await batchRound(system);
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const beforeBare = cpuTimes();
    const bare = await bareEngine.round();
    if (showCpu) console.log(`CPU of the bare engine, us per patient: ${cpuSince(beforeBare, patients)}`);
    const before = cpuTimes();
    const { rate, submitMs } = await batchRound(system);
    if (showCpu) console.log(`CPU of the batch, us per patient: ${cpuSince(before, patients)}`);
    ratios.push(rate / bare);
    console.log(
      `round ${round}: bare engine ${bare.toFixed(0)} patients/s, batch ${rate.toFixed(0)} patients/s, ratio ` +
        `${(rate / bare).toFixed(2)} (submission took ${submitMs.toFixed(0)} ms)`,
    );
  }
  console.log(`median ratio ${median(ratios).toFixed(2)} over ${rounds} rounds of ${patients} patients`);
  bareEngine.stop();
  await worker.stop();
} finally {
  await system.close();
}
process.exit(0);

async function startBareEngine({
  environment,
  viewer,
}: BenchSystem): Promise<{ round(): Promise<number>; stop(): void }> {
  const child = spawnEntry(new URL('./bare-engine.js', import.meta.url), {
    args: [viewer.organizationId, String(patients)],
    environment,
  });
  const message = (): Promise<{ rate?: number }> =>
    new Promise((resolve, reject) =>
      child.once('message', resolve).once('exit', (code) => reject(new Error(`the bare engine exited with ${code}`))),
    );
  await message();
  return {
    async round() {
      const answer = message();
      child.send({});
      return (await answer).rate!;
    },
    stop: () => void child.removeAllListeners('exit').kill('SIGKILL'),
  };
}

async function batchRound({ app, viewer }: BenchSystem): Promise<{ rate: number; submitMs: number }> {
  const start = performance.now();
  const job = await app.submitBatch(viewer, { all: true, modelId: 'heart-disease' });
  const submitMs = performance.now() - start;
  await new Promise<void>((resolve, reject) => {
    const look = async (): Promise<void> => {
      const status = (await app.jobStore.find(job._id))!.status;
      if (status.state === ScoringJobState.COMPLETED) resolve();
      else if (status.state === ScoringJobState.FAILED) reject(new Error('the batch FAILED'));
    };
    app.events.subscribe('scoringJobChanged', ({ scoringJobId }) => {
      if (scoringJobId === job._id.toHexString()) look().catch(reject);
    });
  });
  return { rate: job.total / ((performance.now() - start) / 1000), submitMs };
}
