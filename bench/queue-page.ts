/* eslint-disable no-console -- a benchmark prints */
/**
 * Measures the page of the queues with a full queue, and a probe of another caller meanwhile.
 *
 *   node --import @swc-node/register/esm-register bench/queue-page.ts [ENTRIES] [FOLDER]    by default 1,000,000
 *
 * With a folder it looks at the page in Chromium, and writes its pictures there.
 * Needs redis-server and about 1 GB of memory per million entries.
 */
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { Role } from '../models/index.js';
import { startApi } from '../src/api.js';
import { createApp } from '../src/app.js';
import { loadConfig } from '../src/config/config.js';
import { ensureOrganization } from '../src/identity/organizations.js';
import { createLogger } from '../src/process/logger.js';
import { startEngines } from '../src/embedded/engines.js';
import { fill } from './queue-page/fill.js';
import { look } from './queue-page/look.js';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const entries = Number(process.argv[2] ?? 1_000_000);
const folder = mkdtempSync(join(tmpdir(), 'riskgraph-queue-page-'));
const engines = await startEngines({ dataDirectory: folder });
const config = loadConfig({
  MONGO_URI: engines.mongoUri,
  REDIS_URL: engines.redisUrl,
  SECRET_KEY: 'bench-0123456789-abcdefghijklmnopqrstuvwxyz',
  PORT: '0',
  QUEUE_PAGE_ORGANIZATION: 'operators',
});
const app = await createApp(config, createLogger('error', 'bench'));
const api = await startApi(app);
const connection = new Redis(engines.redisUrl, { maxRetriesPerRequest: null });
const queue = new Queue('scoring-single', { connection, prefix: config.redisPrefix, skipVersionCheck: true });
try {
  const filled = performance.now();
  await fill(queue, connection, entries);
  console.log(`${entries} entries are there after ${((performance.now() - filled) / 1_000).toFixed(0)} s`);
  const organizationId = (await ensureOrganization(app.models, 'operators'))._id.toHexString();
  const token = await app.accessTokens.sign({ username: 'bench', role: Role.ADMIN, organizationId }, 3_600);
  const ask = async (path: string): Promise<number> => {
    const asked = performance.now();
    const response = await fetch(`${api.url}/queues${path}`, { headers: { authorization: `Bearer ${token}` } });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text.slice(0, 200)}`);
    return performance.now() - asked;
  };
  const list = '/api/queues?activeQueue=scoring-single';
  const pages: readonly (readonly [string, string])[] = [
    ['overview of both queues', '/api/queues'],
    ['latest entries', `${list}&status=latest&page=1`],
    ['first page of those that wait', `${list}&status=prioritized&page=1`],
    ['page in the middle', `${list}&status=prioritized&page=${Math.floor(entries / 20)}`],
    ['last page', `${list}&status=prioritized&page=${Math.floor(entries / 10)}`],
  ];
  await ask('/api/queues');
  console.log('\n| page | median of 20, ms | slowest, ms |\n|---|---|---|');
  for (const [name, path] of pages) {
    const times: number[] = [];
    for (let round = 0; round < 20; round += 1) times.push(await ask(path));
    times.sort((a, b) => a - b);
    console.log(`| ${name} | ${times[10]!.toFixed(1)} | ${times.at(-1)!.toFixed(1)} |`);
  }
  const folderOfPictures = process.argv[3];
  if (folderOfPictures) {
    const { looks, faults } = await look(api.url, token, {
      folder: folderOfPictures,
      pages: Math.floor(entries / 20),
    });
    console.log('\n| in Chromium | until its entries are shown, ms |\n|---|---|');
    for (const { name, milliseconds } of looks) console.log(`| ${name} | ${Math.round(milliseconds)} |`);
    for (const fault of faults) console.log(`the page complains: ${fault}`);
  }
  const [memory] = /used_memory_human:\S+/.exec(await connection.info('memory')) ?? [];
  console.log(`\nRedis: ${memory}; API: ${Math.round(process.memoryUsage().rss / 1024 ** 2)} MiB resident`);
} finally {
  await queue.close();
  connection.disconnect();
  await api.close();
  await app.close();
  await engines.stop();
  rmSync(folder, { recursive: true, force: true });
}
