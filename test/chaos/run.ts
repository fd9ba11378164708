/* eslint-disable no-console -- a command of its own, which prints its findings */
import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import Table from 'cli-table3';
import { Redis } from 'ioredis';
import { createModels, Role } from '../../models/index.js';
import { SubmitBatchScoringJobDocument, SubmitScoringJobDocument } from '../../src/client/generated/graphql.js';
import { auditKeys } from '../../src/audit/audit-writer.js';
import { issueLocalToken } from '../../src/commands/local-access.js';
import { localMasterKeys } from '../../src/commands/secret-key.js';
import { seedPatients } from '../../src/commands/seed.js';
import { loadConfig } from '../../src/config/config.js';
import { connectDatabase } from '../../src/storage/database.js';
import { startProtection } from '../../src/protection/start-protection.js';
import { startDeployment, type Deployment, type Victim } from './deployment.js';
import { examine, examineAuditTrail } from './examine.js';
import { createPersistentClient, type PersistentClient } from './persistent-client.js';

// 1. Starts two API nodes, two workers and the engines, and seeds patients.
// 2. Submits 1,000 single jobs and 5 batches of 2,000 patients, and follows each job. Meanwhile it kills processes of
//    every kind at random, flushes Redis twice and cuts client connections.
// 3. Waits until every subscriber has seen the end of its job.
// 4. Checks that every accepted job is terminal, and that each of its patients has exactly one prediction or failure.
// 5. Checks that every subscriber saw a sequence without gaps up to the terminal state, and that the audit chain is
//    whole.
// 6. Prints both tables. The exit code is 1 when a check failed.
const singles = Number(process.argv[2] ?? 1000);
const batches = Number(process.argv[3] ?? 5);
const patientsPerBatch = Number(process.argv[4] ?? 2000);
const seconds = Number(process.argv[5] ?? 60);
const victims: readonly Victim[] = ['mongodb', 'redis', 'api-1', 'api-2', 'worker-1', 'worker-2'];

const done: Record<string, number> = {};
const count = (what: string): void => void (done[what] = (done[what] ?? 0) + 1);

const deployment = await startDeployment(() => undefined);
try {
  const config = loadConfig(deployment.environment);
  const connection = await connectDatabase(deployment.mongoUri);
  const models = createModels(connection);
  await seedPatients(config, models, { count: patientsPerBatch, seed: 1, organization: 'chaos' });
  const token = await issueLocalToken(config, models, {
    role: Role.CLINICIAN,
    organization: { org: 'chaos' },
    timeToLiveSeconds: 3600,
  });
  const patients = (await models.patients.find({}, { _id: 1 }).lean()).map(({ _id }) => _id.toHexString());
  const client = createPersistentClient(deployment.apiUrls, token);

  const stop = new AbortController();
  const destruction = destroy(deployment, client, stop.signal);
  const started = Date.now();
  const accepted = await submitAll(client, patients);
  stop.abort();
  await destruction;
  console.log(
    `${accepted.length} jobs accepted in ${((Date.now() - started) / 1000).toFixed(0)} s, destruction has ended`,
  );

  const followed = await Promise.all(accepted.map(({ following }) => following));
  console.log(`all subscribers have seen their end after ${((Date.now() - started) / 1000).toFixed(0)} s`);
  // This program's own connection to MongoDB may have been lost a few times as well.
  const { protectionOf } = await startProtection({ models, masterKeys: await localMasterKeys(config) });
  const jobIds = accepted.map(({ id }) => id);
  const findings = [
    ...(await examine(models, jobIds, patients.length)),
    ...(await examineAuditTrail(models, auditKeys(protectionOf), jobIds)),
  ];

  const table = new Table({ head: ['what was done', 'times'], style: { head: [], border: [], compact: true } });
  table.push(
    ...Object.entries(done)
      .sort()
      .map(([what, times]) => [what, times]),
    ['requests repeated by clients', client.retries()],
  );
  console.log(table.toString());
  const checks = new Table({
    head: ['what was checked', 'of', 'wrong'],
    style: { head: [], border: [], compact: true },
  });
  const sequenceErrors = followed.filter(({ errors }) => errors.length > 0);
  checks.push(...findings.map(({ check, of, wrong }) => [check, of, wrong]), [
    'subscriber saw a gapless sequence to the terminal state',
    followed.length,
    sequenceErrors.length,
  ]);
  const opened = followed.reduce((sum, { connections }) => sum + connections, 0);
  console.log(checks.toString());
  console.log(`subscriptions opened: ${opened} for ${followed.length} jobs`);
  sequenceErrors.slice(0, 5).forEach(({ errors }) => console.log(errors.join('; ')));
  const wrong = findings.reduce((sum, finding) => sum + finding.wrong, sequenceErrors.length);
  console.log(wrong === 0 ? 'nothing was lost' : `${wrong} errors`);
  process.exitCode = wrong === 0 ? 0 : 1;
  await client.close();
  await connection.close();
} finally {
  await deployment.close();
}
process.exit();

/** Spreads the submissions over the run. Each job is followed from the moment it is accepted. */
async function submitAll(client: PersistentClient, patients: readonly string[]) {
  const accepted: { id: string; following: ReturnType<PersistentClient['follow']> }[] = [];
  const follow = (id: string): void => void accepted.push({ id, following: client.follow(id) });
  const tasks: Promise<void>[] = [];
  for (let index = 0; index < singles; index += 1) {
    tasks.push(
      delay((index / singles) * seconds * 1000).then(async () => {
        const input = {
          patientId: patients[index % patients.length]!,
          modelId: 'heart-disease',
          idempotencyKey: randomUUID(),
        };
        follow((await client.request(SubmitScoringJobDocument, { input })).submitScoringJob.id);
      }),
    );
  }
  for (let index = 0; index < batches; index += 1) {
    tasks.push(
      delay((index / batches) * seconds * 1000).then(async () => {
        const input = { all: true, modelId: 'heart-disease', idempotencyKey: randomUUID() };
        follow((await client.request(SubmitBatchScoringJobDocument, { input })).submitBatchScoringJob.id);
      }),
    );
  }
  await Promise.all(tasks);
  return accepted;
}

/** Kills a process every one to three seconds, flushes Redis twice, and sometimes cuts the clients' connections. */
async function destroy(target: Deployment, client: PersistentClient, signal: AbortSignal): Promise<void> {
  const flushes = [0.3, 0.7].map(async (share) => {
    await delay(share * seconds * 1000);
    await flush(target.redisUrl);
    count('FLUSHALL');
  });
  while (!signal.aborted) {
    await delay(1000 + 2000 * Math.random());
    if (Math.random() < 0.2) {
      await client.cut();
      count('client connections cut');
      continue;
    }
    const victim = victims[Math.floor(Math.random() * victims.length)]!;
    if (target.kill(victim)) count(`kill -9 ${victim}`);
  }
  await Promise.all(flushes);
}

async function flush(url: string): Promise<void> {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  await redis.flushall();
  redis.disconnect();
}
