/* eslint-disable no-console -- a benchmark prints */
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { Types } from 'mongoose';
import { ScoringJobUpdatedDocument, SubmitScoringJobDocument } from '../../src/client/generated/graphql.js';
import { apiClient } from '../../src/commands/api-client.js';
import { startServerProcess } from '../../src/commands/server-process.js';
import { benchToken, residentBytes } from './deployment.js';
import { inParallel, patientIds, percentile, startBenchSystem } from './setup.js';

// Measures many subscribers on one API node. Each has its own socket and follows its own job. It prints the memory per
// subscriber, and the time from the write of a change until the subscriber gets it.
const subscribers = Number(process.argv[2] ?? 5000);
const changesASecond = 200;

const system = await startBenchSystem(100);
try {
  const { app } = system;
  const ids = await patientIds(app.models, 100);
  // No worker runs: the jobs stay unfinished, and this process makes the changes.
  const api = await startServerProcess('api', system.environment);
  const token = await benchToken(app, system.viewer);
  const http = apiClient(api.url, token);
  const jobIds: string[] = [];
  await inParallel(subscribers, 64, async (index) => {
    const { submitScoringJob } = await http.request(SubmitScoringJobDocument, {
      input: { patientId: ids[index % ids.length]!, modelId: 'heart-disease' },
    });
    jobIds.push(submitScoringJob.id);
  });
  const memoryBefore = residentBytes(api.pid);
  const changedAt = new Map<string, number>();
  const latencies: number[] = [];
  const clients = jobIds.map(() =>
    createClient({
      url: `${api.url.replace(/^http/, 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${token}` },
      retryAttempts: 0,
    }),
  );
  await inParallel(subscribers, 64, (index) => {
    const id = jobIds[index]!;
    return new Promise<void>((resolve, reject) => {
      clients[index]!.subscribe(
        { query: ScoringJobUpdatedDocument.toString(), variables: { id } },
        {
          next: () => {
            const start = changedAt.get(id);
            if (start === undefined) resolve();
            else latencies.push(performance.now() - start);
          },
          error: reject,
          complete: () => undefined,
        },
      );
    });
  });
  const memoryAfter = residentBytes(api.pid);
  console.log(
    `${subscribers} subscribers: ${((memoryAfter - memoryBefore) / subscribers / 1024).toFixed(1)} KiB each (the API ` +
      `process grew from ${(memoryBefore / 2 ** 20).toFixed(0)} to ${(memoryAfter / 2 ** 20).toFixed(0)} MiB)`,
  );

  let next = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      for (let count = 0; count < changesASecond / 20 && next < subscribers; count += 1) {
        const id = jobIds[next++]!;
        changedAt.set(id, performance.now());
        void app.jobStore.requestCancel(new Types.ObjectId(id));
      }
      if (latencies.length === subscribers) {
        clearInterval(timer);
        resolve();
      }
    }, 50);
  });
  latencies.sort((a, b) => a - b);
  console.log(
    `${changesASecond} changes per second, one for each: p50 ${percentile(latencies, 50).toFixed(0)} ms, p99 ` +
      `${percentile(latencies, 99).toFixed(0)} ms, largest ${latencies.at(-1)!.toFixed(0)} ms`,
  );
  for (const client of clients) await client.dispose();
  await http.close();
  await api.stop();
} finally {
  await system.close();
}
process.exit(0);
