import { Worker } from 'bullmq';
import { Redis } from 'ioredis';

// The floor of the comparison: a worker that only takes jobs from the queue.
const [redisUrl, prefix, concurrency] = process.argv.slice(2) as [string, string, string];
const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
let done = 0;
const worker = new Worker('floor', async () => undefined, { connection, prefix, concurrency: Number(concurrency) });
worker.on('completed', () => {
  done += 1;
  if (done % 100 === 0) process.send?.({ done });
});
await worker.waitUntilReady();
process.send?.({ ready: 'floor' });
