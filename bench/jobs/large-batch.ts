/* eslint-disable no-console -- a benchmark prints */
import { setTimeout as delay } from 'node:timers/promises';
import { Types } from 'mongoose';
import { SubmitBatchScoringJobDocument } from '../../src/client/generated/graphql.js';
import { isTerminal } from '../../src/jobs/job-status.js';
import { residentBytes, startDeployment } from './deployment.js';
import { patientIds, startBenchSystem } from './setup.js';

// Measures the memory for the largest batch: of the process that accepts it and of the worker that runs it. It prints
// the memory before, the peak, and for comparison a batch of a tenth, or of 100,000 named patients.
const patients = Number(process.argv[2] ?? 1_000_000);

const residentMiB = (pid: number): number => residentBytes(pid) / 2 ** 20;

const system = await startBenchSystem(patients);
try {
  const { api, worker, client, close } = await startDeployment(system);
  for (const [name, request] of [
    ['a tenth', { patientIds: await patientIds(system.app.models, Math.min(100_000, Math.floor(patients / 10))) }],
    ['all', { all: true }],
  ] as const) {
    const before = { api: residentMiB(api.pid), worker: residentMiB(worker.pid) };
    const highest = { ...before };
    const start = performance.now();
    const { submitBatchScoringJob: job } = await client.request(SubmitBatchScoringJobDocument, {
      input: { ...request, modelId: 'heart-disease' },
    });
    const submitted = performance.now() - start;
    for (;;) {
      highest.api = Math.max(highest.api, residentMiB(api.pid));
      highest.worker = Math.max(highest.worker, residentMiB(worker.pid));
      const { status, total } = (await system.app.jobStore.find(new Types.ObjectId(job.id)))!;
      if (isTerminal(status.state)) {
        const seconds = (performance.now() - start) / 1000;
        console.log(
          `${name}: ${total} patients, ${status.state}, ${status.failed} failed, submission ` +
            `${(submitted / 1000).toFixed(1)} s, ${(total / seconds).toFixed(0)} patients/s`,
        );
        console.log(
          `  API ${before.api.toFixed(0)} MiB before, ${highest.api.toFixed(0)} at most; worker ` +
            `${before.worker.toFixed(0)} MiB before, ${highest.worker.toFixed(0)} at most`,
        );
        break;
      }
      await delay(200);
    }
  }
  await close();
} finally {
  await system.close();
}
process.exit(0);
