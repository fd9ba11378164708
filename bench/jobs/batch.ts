/* eslint-disable no-console -- a benchmark prints */
import { Types } from 'mongoose';
import { ScoringJobState } from '../../models/index.js';
import { startServerProcess } from '../../src/commands/server-process.js';
import { modelInputs, type PatientRecord } from '../../src/patients/model-inputs.js';
import { median, patientIds, startBenchSystem, type BenchSystem } from './setup.js';

// Patients a second of a batch, end to end with one worker process, against the bare engine that encodes, scores and
// explains the same patients in a loop in one process. Both in the same run, in turn.
const rounds = Number(process.argv[2] ?? 3);
const patients = Number(process.argv[3] ?? 20_000);

const system = await startBenchSystem(patients);
try {
  const worker = await startServerProcess('worker', system.environment);
  const ids = (await patientIds(system.app.models, patients)).map((id) => new Types.ObjectId(id));
  // The bare engine knows no encryption: its patients are open before the clock starts.
  const documents = (await openAll(new Types.ObjectId(system.viewer.organizationId), ids)).map(({ birthDate, sex, features }) => ({ birthDate, sex, features }));
  await batchRound(system);
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const bare = await engineRound(system, documents);
    const { rate, submitMs } = await batchRound(system);
    ratios.push(rate / bare);
    console.log(`round ${round}: bare engine ${bare.toFixed(0)} patients/s, batch ${rate.toFixed(0)} patients/s, ratio ${(rate / bare).toFixed(2)} (submission took ${submitMs.toFixed(0)} ms)`);
  }
  console.log(`median ratio ${median(ratios).toFixed(2)} over ${rounds} rounds of ${patients} patients`);
  await worker.stop();
} finally {
  await system.close();
}
process.exit(0);

async function openAll(organization: Types.ObjectId, ids: readonly Types.ObjectId[]): Promise<PatientRecord[]> {
  const opened: PatientRecord[] = [];
  for (let start = 0; start < ids.length; start += 1_000) {
    const group = await Promise.all(ids.slice(start, start + 1_000).map((id) => system.app.records.patient(organization, id)));
    opened.push(...group.flatMap((patient) => patient ?? []));
  }
  return opened;
}

async function engineRound({ app }: BenchSystem, documents: readonly PatientRecord[]): Promise<number> {
  const model = app.registry.find('heart-disease')!;
  const now = new Date();
  const chunk = app.config.batchChunkSize;
  const start = performance.now();
  for (let first = 0; first < documents.length; first += chunk) {
    const rows = documents.slice(first, first + chunk).map((patient) => model.encode(modelInputs(model.manifest, patient, now)));
    await model.score(rows);
    await model.explain(rows);
  }
  return documents.length / ((performance.now() - start) / 1000);
}

async function batchRound({ app, viewer }: BenchSystem): Promise<{ rate: number; submitMs: number }> {
  const start = performance.now();
  const job = await app.submitBatch(viewer, { all: true, modelId: 'heart-disease' });
  const submitMs = performance.now() - start;
  await new Promise<void>((resolve, reject) => {
    const look = async (): Promise<void> => {
      const status = (await app.store.find(job._id))!.status;
      if (status.state === ScoringJobState.COMPLETED) resolve();
      else if (status.state === ScoringJobState.FAILED) reject(new Error('the batch FAILED'));
    };
    app.events.subscribe('scoringJobChanged', ({ scoringJobId }) => {
      if (scoringJobId === job._id.toHexString()) look().catch(reject);
    });
  });
  return { rate: job.total / ((performance.now() - start) / 1000), submitMs };
}
