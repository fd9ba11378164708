/**
 * Backup and restore of a database with as many predictions as asked for, half of them of single jobs and half in blocks
 * of batches: duration, size and memory of this process. The databases are embedded, in processes of their own.
 *
 *   node --import @swc-node/register/esm-register bench/backup.ts 200000
 */
import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { Types, type Connection } from 'mongoose';
import { pino } from 'pino';
import { createModels, ensureIndexes, ScoringJobKind, type Models } from '../models/index.js';
import { createCatalogue } from '../src/backup/catalogue.js';
import { createBackup } from '../src/backup/create-backup.js';
import { createDirectoryStore } from '../src/backup/directory-store.js';
import { restoreBackup } from '../src/backup/restore-backup.js';
import { withScratchDatabase } from '../src/commands/backup-parts.js';
import { commandActor } from '../src/commands/command-trail.js';
import { ensureOrganization } from '../src/identity/organizations.js';
import { deriveMasterKey } from '../src/protection/master-keys.js';
import { startProtection } from '../src/protection/start-protection.js';

const predictions = Number(process.argv[2] ?? 200_000);
const rowsPerBlock = 2_000;
const documentsPerInsert = 2_000;
const features = Array.from({ length: 13 }, (_, at) => `feature_${at}`);
const masterKeys = [deriveMasterKey('a secret of this bench alone')];

/** Fills a database. Each patient has one prediction of a single job, and one of a batch. */
async function fill(models: Models): Promise<void> {
  await ensureIndexes(models);
  const { _id: organization } = await ensureOrganization(models, 'bench');
  const { store } = await startProtection({ models, masterKeys });
  const { fields } = await store.writing(organization);
  const output = {
    organization,
    modelId: 'heart-disease',
    modelVersion: '1.0.0',
    modelSha256: 'a'.repeat(64),
    outputSpace: 'PROBABILITY',
  };
  const insert = (model: { readonly collection: unknown }, documents: object[]): Promise<unknown> =>
    (model.collection as { insertMany(list: object[], options: object): Promise<unknown> }).insertMany(documents, {
      ordered: false,
      writeConcern: { w: 1, j: false },
    });
  const patient = (_id: Types.ObjectId): object => ({
    _id,
    organization,
    dataKey: fields.id,
    mrn: randomBytes(40),
    mrnIndex: randomBytes(32).toString('base64'),
    givenName: randomBytes(40),
    familyName: randomBytes(40),
    birthDate: randomBytes(42),
    sex: 'FEMALE',
    features: features.map((code) => ({ code, value: Math.random() * 100, recordedAt: new Date() })),
    version: 1,
    createdAt: new Date(),
    updatedAt: new Date(),
  });
  const job = (_id: Types.ObjectId, kind: ScoringJobKind, of: object): object => {
    const status = { sequence: 3, state: 'COMPLETED', stage: 'DONE', processed: 1, failed: 0, attempts: 1 };
    return {
      _id,
      ...output,
      kind,
      status,
      transitions: [status, status, status],
      total: 1,
      submittedAt: new Date(),
      submittedBy: 'bench',
      explain: true,
      priority: 5,
      attemptsThisRun: 1,
      dispatch: 1,
      dispatchedAt: new Date(),
      ...of,
    };
  };
  const patients: Types.ObjectId[] = [];
  for (let done = 0; done < predictions / 2; done += documentsPerInsert) {
    const ids = Array.from({ length: documentsPerInsert }, () => ({
      patient: new Types.ObjectId(),
      job: new Types.ObjectId(),
    }));
    patients.push(...ids.map((id) => id.patient));
    await insert(
      models.patients,
      ids.map((id) => patient(id.patient)),
    );
    await insert(
      models.scoringJobs,
      ids.map((id) => job(id.job, ScoringJobKind.SINGLE, { patient: id.patient })),
    );
    await insert(
      models.predictions,
      ids.map((id, at) => ({
        ...output,
        _id: new Types.ObjectId(),
        patient: id.patient,
        job: id.job,
        createdAt: new Date(),
        rawOutput: Math.random(),
        probability: Math.random(),
        riskBand: 'HIGH',
        inputs: Object.fromEntries(features.map((code) => [code, Math.random() * 100])),
        explanation: {
          method: 'PATH_DEPENDENT',
          baseValue: 0.5,
          outputValue: Math.random(),
          additivityError: 0,
          contributions: features.map(() => Math.random()),
        },
        logged: { organization, number: done + at + 1 },
      })),
    );
  }
  for (let done = 0; done < predictions / 2; done += rowsPerBlock) {
    const ids = patients.slice(done, done + rowsPerBlock);
    const batch = new Types.ObjectId();
    await insert(models.scoringJobs, [job(batch, ScoringJobKind.BATCH, { total: rowsPerBlock })]);
    const chunk = {
      _id: new Types.ObjectId(),
      job: batch,
      number: 0,
      patients: Buffer.concat(ids.map(({ id }) => id)),
      size: rowsPerBlock,
      done: true,
      failed: 0,
      attempts: 1,
      failures: [],
    };
    await insert(models.scoringChunks, [chunk]);
    const rows = ids.map((id, number) => ({
      number,
      patient: id,
      probability: Math.random(),
      riskBand: 'HIGH',
      values: randomBytes((3 + 2 * features.length) * 8),
    }));
    await insert(models.predictionBlocks, [
      {
        ...output,
        _id: new Types.ObjectId(),
        job: batch,
        chunk: 0,
        createdAt: new Date(),
        features,
        size: rowsPerBlock,
        highestProbability: 1,
        riskBands: ['HIGH'],
        rows,
        failed: 0,
        failures: [],
        logged: { organization, number: done / rowsPerBlock + 1 },
      },
    ]);
  }
}

/** Runs work, and says how long it took and how much memory this process had at most meanwhile. */
async function measured<T>(name: string, work: () => Promise<T>): Promise<T> {
  let most = 0;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 50);
  const begun = performance.now();
  try {
    return await work();
  } finally {
    clearInterval(timer);
    const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
    process.stdout.write(`${name}: ${seconds} s, at most ${Math.round(most / 1_000_000)} MB of memory\n`);
  }
}

const identity = await generateX25519Identity();
const recipients = [await identityToRecipient(identity)];
const directory = await mkdtemp(join(tmpdir(), 'riskgraph-bench-'));
const catalogue = createCatalogue(createDirectoryStore(directory));
const withModels = <T>(work: (database: Connection, models: Models) => Promise<T>): Promise<T> =>
  withScratchDatabase((database) => work(database, createModels(database)));
try {
  const { name, bytes, documents } = await withModels(async (database, models) => {
    await measured('filling', () => fill(models));
    return measured('backup', () =>
      createBackup({ database, models, catalogue, recipients, files: [], describe: String }),
    );
  });
  process.stdout.write(`archive: ${documents} documents, ${(bytes / 1_000_000).toFixed(1)} MB\n`);
  const { restoreSeconds } = await withModels((database, models) =>
    measured('drill', () =>
      restoreBackup({
        source: { name, identity, read: () => catalogue.read(name) },
        database,
        models,
        masterKeys,
        seenEpoch: 0,
        actorOf: commandActor,
        logger: pino({ enabled: false }),
        check: true,
      }),
    ),
  );
  process.stdout.write(`restore within the drill: ${restoreSeconds.toFixed(1)} s\n`);
} finally {
  await rm(directory, { recursive: true, force: true });
}
