/* eslint-disable no-console -- a benchmark prints */
import {
  CancelScoringJobDocument,
  ScoringJobUpdatedDocument,
  SubmitBatchScoringJobDocument,
} from '../../src/client/generated/graphql.js';
import { startDeployment } from './deployment.js';
import { percentile, startBenchSystem } from './setup.js';

// Measures how soon a running batch stops: from a client's cancelScoringJob until CANCELLED arrives on its
// subscription. By then every chunk in progress was given back, and no more predictions are stored. API and worker have
// their own processes. The worker scores chunks of the usual size.
const rounds = Number(process.argv[2] ?? 30);
const patients = Number(process.argv[3] ?? 100_000);

const system = await startBenchSystem(patients);
try {
  const { client, close } = await startDeployment(system);

  /** @returns milliseconds until the end, and the number of patients scored by then */
  const cancelOne = async (): Promise<{ milliseconds: number; processed: number }> => {
    const {
      submitBatchScoringJob: { id },
    } = await client.request(SubmitBatchScoringJobDocument, { input: { all: true, modelId: 'heart-disease' } });
    let start: number | undefined;
    for await (const {
      scoringJobUpdated: { job },
    } of client.subscribe(ScoringJobUpdatedDocument, { id })) {
      if (job.state === 'CANCELLED')
        return { milliseconds: performance.now() - start!, processed: job.progress.processed };
      if (start !== undefined || job.progress.processed === 0) continue;
      start = performance.now();
      client.request(CancelScoringJobDocument, { id }).catch((error: unknown) => console.error(error));
    }
    throw new Error('the batch was over before it could be cancelled: name more patients');
  };

  await cancelOne();
  const seen = [];
  for (let round = 1; round <= rounds; round += 1) seen.push(await cancelOne());
  const sorted = seen.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  const processed = seen.map((one) => one.processed).sort((a, b) => a - b);
  console.log(
    `${rounds} running batches of ${patients} cancelled, ${percentile(processed, 50)} patients in (median): p50 ` +
      `${percentile(sorted, 50).toFixed(0)} ms, p99 ${percentile(sorted, 99).toFixed(0)} ms, largest ` +
      `${sorted.at(-1)!.toFixed(0)} ms`,
  );
  await close();
} finally {
  await system.close();
}
process.exit(0);
