/* eslint-disable no-console -- a benchmark prints */
import { setTimeout as delay } from 'node:timers/promises';
import { ScoringJobUpdatedDocument, SubmitScoringJobDocument } from '../../src/client/generated/graphql.js';
import { startDeployment } from './deployment.js';
import { patientIds, percentile, startBenchSystem } from './setup.js';

// Measures the time from a client's mutation until the result arrives on its subscription, at 10 jobs per second. It
// covers HTTP, GraphQL, MongoDB, queue, worker, SHAP, Redis and WebSocket. API and worker have their own processes.
const jobs = Number(process.argv[2] ?? 300);
const periodMs = 100;

const system = await startBenchSystem(100);
try {
  const ids = await patientIds(system.app.models, 100);
  const { client, close } = await startDeployment(system);
  const scoreOnce = async (index: number): Promise<number> => {
    const start = performance.now();
    const { submitScoringJob } = await client.request(SubmitScoringJobDocument, {
      input: { patientId: ids[index % ids.length]!, modelId: 'heart-disease' },
    });
    for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, {
      id: submitScoringJob.id,
    })) {
      if (scoringJobUpdated.job.prediction) return performance.now() - start;
    }
    throw new Error('the subscription ended without a prediction');
  };
  for (let index = 0; index < 20; index += 1) await scoreOnce(index);
  const latencies: Promise<number>[] = [];
  for (let index = 0; index < jobs; index += 1) {
    latencies.push(scoreOnce(index));
    await delay(periodMs);
  }
  const sorted = (await Promise.all(latencies)).sort((a, b) => a - b);
  console.log(
    `${jobs} jobs at 10 per second: p50 ${percentile(sorted, 50).toFixed(0)} ms, p99 ` +
      `${percentile(sorted, 99).toFixed(0)} ms, largest ${sorted.at(-1)!.toFixed(0)} ms`,
  );
  await close();
} finally {
  await system.close();
}
process.exit(0);
