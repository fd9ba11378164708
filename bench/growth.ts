/*
 * Growth: `node --import @swc-node/register/esm-register bench/growth.ts [jobs]`, after `npm run build`
 *
 * It measures what 1,000 units of each kind of work leave in MongoDB, in Redis and on the disk, and prints one table per
 * kind: single jobs that are submitted, followed and read over the API; a batch; logins. Callers, API, worker and engines
 * are as in a deployment. Bytes are those of the documents before compression, and those of all indexes of the collection.
 */
import './jobs/as-served.js';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Role } from '../models/index.js';
import {
  LoginDocument,
  PredictionDocument,
  ScoringJobUpdatedDocument,
  SubmitBatchScoringJobDocument,
  SubmitScoringJobDocument,
} from '../src/client/generated/graphql.js';
import type { GraphqlClient } from '../src/client/graphql-client.js';
import { startDeployment } from './jobs/deployment.js';
import { inParallel, patientIds, startBenchSystem } from './jobs/setup.js';

const jobs = Number(process.argv[2] ?? 1_000);
const logins = 20;
const modelId = 'heart-disease';
const password = 'seven geese over the fjord';

/** What is there now: for each thing its number, its bytes, and the bytes of its indexes. */
type Stock = Map<string, { readonly count: number; readonly bytes: number; readonly indexBytes: number }>;

const system = await startBenchSystem(jobs);
const { app, viewer, dataDirectory } = system;
const deployment = await startDeployment(system);
const redis = app.connectRedis('waiting');
const { client } = deployment;

async function diskBytes(directory: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) bytes += await diskBytes(path);
    else if (entry.isFile()) bytes += (await stat(path)).blocks * 512;
  }
  return bytes;
}

async function takeStock(): Promise<Stock> {
  // Results reach the patients, and entries of the queue are removed, a moment after a job has ended.
  await delay(5_000);
  const database = app.database.db!;
  await database
    .admin()
    .command({ fsync: 1 })
    .catch(() => undefined);
  const stock: Stock = new Map();
  for (const { name } of await database.listCollections().toArray()) {
    const found = (await database.command({ collStats: name })) as {
      count: number;
      size: number;
      totalIndexSize: number;
    };
    stock.set(name, { count: found.count, bytes: found.size, indexBytes: found.totalIndexSize });
  }
  const keys = new Map<string, number>();
  for await (const page of redis.scanStream({ count: 1_000 }) as AsyncIterable<string[]>)
    for (const key of page) {
      const kind = key.replace(/(?<=[:/])[0-9a-f-]*\d[0-9a-z.-]*/gi, '*');
      keys.set(kind, (keys.get(kind) ?? 0) + 1);
    }
  for (const [kind, count] of keys) stock.set(`Redis ${kind}`, { count, bytes: 0, indexBytes: 0 });
  const memory = /used_memory_dataset:(\d+)/.exec(await redis.info('memory'))?.[1];
  stock.set('Redis, memory of all keys', { count: 0, bytes: Number(memory), indexBytes: 0 });
  for (const name of ['mongodb', 'redis'])
    stock.set(`disk: ${name}`, { count: 0, bytes: await diskBytes(join(dataDirectory, name)), indexBytes: 0 });
  return stock;
}

function print(title: string, units: number, before: Stock, after: Stock): void {
  const per = (value: number): string => Math.round((value * 1_000) / units).toLocaleString('en');
  const kib = (value: number): string => `${per(value / 1_024)} KiB`;
  const rows = [...after].flatMap(([name, now]) => {
    const was = before.get(name) ?? { count: 0, bytes: 0, indexBytes: 0 };
    const [count, bytes, indexBytes] = [now.count - was.count, now.bytes - was.bytes, now.indexBytes - was.indexBytes];
    if (count === 0 && Math.abs(bytes) < 1_024) return [];
    return [`| ${name} | ${per(count)} | ${kib(bytes)} | ${kib(indexBytes)} |`];
  });
  process.stdout.write(
    [
      `\nPer 1,000 ${title} (measured on ${units})\n`,
      '| where | documents or keys | bytes | bytes of indexes |',
      '|---|--:|--:|--:|',
      ...rows,
      '',
    ].join('\n'),
  );
}

async function follow(caller: GraphqlClient, id: string): Promise<string | undefined> {
  let prediction: string | undefined;
  for await (const { scoringJobUpdated } of caller.subscribe(ScoringJobUpdatedDocument, { id }))
    prediction = scoringJobUpdated.job.prediction?.id;
  return prediction;
}

async function createUser(): Promise<void> {
  const { organizationId } = viewer;
  const token = await app.accessTokens.sign({ username: 'admin', role: Role.ADMIN, organizationId }, 3_600);
  const query = `mutation { createUser(input: { username: "grower", password: "${password}", role: CLINICIAN }) { id } }`;
  const answer = await fetch(`${deployment.api.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query }),
  });
  if (!answer.ok) throw new Error('the user was not created');
}

try {
  const ids = await patientIds(app.models, jobs);
  // The first job makes what every deployment has once.
  await follow(
    client,
    (await client.request(SubmitScoringJobDocument, { input: { modelId, patientId: ids[0]! } })).submitScoringJob.id,
  );
  await createUser();

  let before = await takeStock();
  await inParallel(jobs, 16, async (index) => {
    const input = { modelId, patientId: ids[index % ids.length]! };
    const { id } = (await client.request(SubmitScoringJobDocument, { input })).submitScoringJob;
    await client.request(PredictionDocument, { id: (await follow(client, id))! });
  });
  let after = await takeStock();
  print('single jobs, each submitted, followed and its prediction read', jobs, before, after);

  before = after;
  const batch = (await client.request(SubmitBatchScoringJobDocument, { input: { modelId, all: true } }))
    .submitBatchScoringJob;
  await follow(client, batch.id);
  after = await takeStock();
  print('patients of one batch', jobs, before, after);

  before = after;
  for (let count = 0; count < logins; count += 1)
    await client.request(LoginDocument, { input: { organization: 'bench', username: 'grower', password } });
  after = await takeStock();
  print('logins', logins, before, after);
} finally {
  redis.disconnect();
  await deployment.close();
  await system.close();
}
process.exit(0);
