/** Covers src/backup/read-database.ts, src/backup/settle.ts, src/backup/restore-backup.ts. */
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { Types, type Connection } from 'mongoose';
import { createModels, DataKeyPurpose, DataKeyState, type Models } from '../../models/index.js';
import { packArchive, unpackArchive, type ArchiveEntry } from '../../src/backup/archive.js';
import { createCatalogue } from '../../src/backup/catalogue.js';
import { createBackup } from '../../src/backup/create-backup.js';
import { createDirectoryStore } from '../../src/backup/directory-store.js';
import { examineArchive } from '../../src/backup/examine-archive.js';
import { makeIndexes } from '../../src/backup/make-indexes.js';
import { readDatabase } from '../../src/backup/read-database.js';
import { restoreBackup, type BackupSource } from '../../src/backup/restore-backup.js';
import { createDocumentWriter } from '../../src/backup/write-database.js';
import { DeletePatientDocument } from '../../src/client/generated/graphql.js';
import { commandActor } from '../../src/commands/command-trail.js';
import { unfinishedStates } from '../../src/jobs/job-status.js';
import { claimData, dataVersion } from '../../src/storage/data-version.js';
import { connectDatabase } from '../../src/storage/database.js';
import { namespace } from '../support/namespace.js';
import { masterKeysOf } from '../support/protection.js';
import { ended, patient, scored, submit } from '../support/scenario.js';
import { refusalsOf } from '../support/identity.js';
import { startSystem, testEncryptionKeys, type System } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);

/** Reads the database of a system as a backup does, and does some work after each file of the archive. */
async function backUp(
  system: System,
  disturb: (step: number) => Promise<void> = async () => undefined,
): Promise<Buffer> {
  const { database, models } = system.app;
  const entries: ArchiveEntry[] = [];
  const reading = readDatabase({
    connection: database,
    models,
    name: 'the-backup',
    begunAt: new Date(),
    dataVersion,
    files: [],
  });
  for await (const entry of reading) {
    entries.push(entry);
    await disturb(entries.length);
  }
  return buffer(await packArchive(Readable.from(entries), [recipient]));
}

const sourceOf = (archive: Buffer): BackupSource => ({
  name: 'the-backup',
  identity,
  read: async () => Readable.from([archive]),
});

/** An empty database, and the way to restore into it. */
async function target() {
  const { mongoUri, redisPrefix } = namespace();
  const database = await connectDatabase(mongoUri);
  onTestFinished(() => database.close());
  const models = createModels(database);
  return {
    database,
    models,
    environment: { MONGO_URI: mongoUri, REDIS_PREFIX: redisPrefix },
    restore: (archive: Buffer, keys = testEncryptionKeys) =>
      restoreBackup({
        source: sourceOf(archive),
        database,
        models,
        masterKeys: masterKeysOf(keys),
        seenEpoch: 0,
        actorOf: commandActor,
        logger: pino({ enabled: false }),
        check: true,
      }),
  };
}

async function everyPredictionHasItsPatient({ predictions, predictionBlocks, patients, scoringJobs }: Models) {
  const single = await predictions.find({ organization: { $exists: true } }, { patient: 1, job: 1 }).lean();
  const blocks = await predictionBlocks.find({ organization: { $exists: true } }, { 'rows.patient': 1, job: 1 }).lean();
  const wanted = [
    ...single.map((found) => found.patient),
    ...blocks.flatMap(({ rows }) => rows.map((row) => row.patient)),
  ];
  const present = new Set((await patients.distinct('_id')).map(String));
  expect(wanted.filter((id) => !present.has(String(id)))).toEqual([]);
  const jobs = new Set((await scoringJobs.distinct('_id')).map(String));
  expect([...single, ...blocks].filter(({ job }) => !jobs.has(String(job)))).toEqual([]);
  return wanted.length;
}

test('a backup reads the version of the data once, so that its summary and its header agree', async () => {
  const { mongoUri } = namespace();
  const database = await connectDatabase(`${mongoUri}${mongoUri.includes('?') ? '&' : '?'}monitorCommands=true`);
  onTestFinished(() => database.close());
  const models = createModels(database);
  await claimData(database);
  let reads = 0;
  database.getClient().on('commandStarted', ({ command }) => {
    if (command.find === 'data_versions' && command.filter._id === 'data') reads += 1;
  });
  const catalogue = createCatalogue(createDirectoryStore(await temporaryDirectory()));
  const summary = await createBackup({
    database,
    models,
    catalogue,
    recipients: [recipient],
    files: [],
    describe: String,
  });
  expect([summary.dataVersion, reads]).toEqual([dataVersion, 1]);
});

test('a backup that is made while jobs run and patients are erased holds all that was accepted before, and nothing in part', async () => {
  const system = await startSystem();
  const client = await system.client('CLINICIAN');
  const before = [await scored(client), await scored(client), await scored(client)];
  const waiting = await startSystem({
    worker: false,
    environment: { MONGO_URI: system.app.config.mongoUri!, REDIS_PREFIX: namespace().redisPrefix },
  });
  const accepted = before.map(({ jobId }) => jobId);
  // These wait while the backup is made: no worker knows their queue.
  const idle = await waiting.client('CLINICIAN');
  accepted.push((await submit(idle, { patientId: before[0]!.patientId })).id);
  accepted.push((await submit(idle, { all: true })).id);

  const erased: string[] = [];
  const archive = await backUp(system, async (step) => {
    // Every second file is enough, and takes half of the time.
    if (step % 2 === 0) return;
    const own = await scored(client);
    await ended(client, (await submit(client, { patientIds: [own.patientId, before[0]!.patientId] })).id);
    // A patient of before the backup is erased, and one of after it.
    const gone = step === 9 ? before[2]!.patientId : step % 3 === 0 ? own.patientId : undefined;
    if (gone === undefined) return;
    await client.request(DeletePatientDocument, { id: gone });
    erased.push(gone);
  });
  expect(erased).toContain(before[2]!.patientId);

  const { restore, models, environment } = await target();
  const { settled, auditEvents } = await restore(archive);
  // Work of during the backup was in it in part, so that this test shows something.
  expect(settled.ofMissingJobs).toBeGreaterThan(0);
  expect(settled.latestResults).toBeGreaterThan(0);
  expect(auditEvents).toBeGreaterThan(20);

  const again = await startSystem({ environment });
  await expect.poll(() => models.scoringJobs.countDocuments({ 'status.state': { $in: unfinishedStates } })).toBe(0);
  const states = await models.scoringJobs.find({ _id: { $in: accepted } }, { 'status.state': 1, total: 1 }).lean();
  expect(states).toHaveLength(accepted.length);
  expect(states.map(({ status }) => status.state)).toEqual(accepted.map(() => 'COMPLETED'));
  expect(await everyPredictionHasItsPatient(models)).toBeGreaterThan(4);
  const shown = await again.post<{ patients: { edges: { node: { mrn: string } }[] } }>(
    '{ patients(first: 100) { edges { node { mrn predictions { totalCount } } } } }',
    undefined,
    await expectNewToken(again),
  );
  expect(shown.errors).toBeUndefined();
  expect(shown.data!.patients.edges.map(({ node }) => node.mrn)).toEqual(expect.arrayContaining([before[0]!.mrn]));
});

/** The issue time of a token counts in seconds, and a token of the second of the restore is refused too. */
async function expectNewToken(system: System): Promise<string> {
  let token = '';
  await expect
    .poll(async () => {
      token = await system.token('CLINICIAN');
      return refusalsOf(system, token);
    })
    .toEqual([]);
  return token;
}

test('a restore ends the credentials of the backup', async () => {
  const system = await startSystem({ worker: false });
  const token = await system.token('CLINICIAN');
  await patient(await system.client('CLINICIAN'));
  const { restore, environment } = await target();
  const { ended: endedCredentials } = await restore(await backUp(system));
  expect(endedCredentials).toEqual([{ slug: 'alpha', sessions: 0, apiKeys: 0 }]);
  const again = await startSystem({ worker: false, environment });
  expect(await refusalsOf(again, token)).toEqual(['UNAUTHENTICATED']);
});

test('a database with documents is not restored into, and is left as it was', async () => {
  const system = await startSystem({ worker: false });
  await patient(await system.client('CLINICIAN'));
  const archive = await backUp(system);
  const before = await system.counts();
  const restoring = restoreBackup({
    source: sourceOf(archive),
    database: system.app.database,
    models: system.app.models,
    masterKeys: masterKeysOf(testEncryptionKeys),
    seenEpoch: 0,
    actorOf: commandActor,
    logger: pino({ enabled: false }),
  });
  await expect(restoring).rejects.toThrow(/^The database .* is not empty: a backup is restored into an empty one only/);
  expect(await system.counts()).toEqual(before);
});

test('without the master key nothing is restored', async () => {
  const system = await startSystem({ worker: false });
  await patient(await system.client('CLINICIAN'));
  const { restore, database } = await target();
  const other = `other:${'7'.repeat(64)}`;
  await expect(restore(await backUp(system), other)).rejects.toThrow(
    /^The patients of the-backup are encrypted under the master key "test", which is not here: add it to ENCRYPTION_KEYS/,
  );
  expect(await database.db!.listCollections().toArray()).toEqual([]);
});

test('another key under the same name leaves nothing of a restore', async () => {
  const system = await startSystem({ worker: false });
  await patient(await system.client('CLINICIAN'));
  const { restore, database } = await target();
  await expect(restore(await backUp(system), `test:${'7'.repeat(64)}`)).rejects.toThrow(
    /cannot be decrypted with the master key/,
  );
  expect(await database.db!.listCollections().toArray()).toEqual([]);
});

test('a damaged archive leaves nothing of a restore', async () => {
  const system = await startSystem({ worker: false });
  await patient(await system.client('CLINICIAN'));
  const archive = await backUp(system);
  const { restore, database } = await target();
  await expect(restore(archive.subarray(0, -1))).rejects.toThrow(/^the-backup is damaged/);
  expect(await database.db!.listCollections().toArray()).toEqual([]);
});

test('a restore that was killed keeps processes from starting, and the next one starts over', async () => {
  const system = await startSystem({ worker: false });
  await patient(await system.client('CLINICIAN'));
  const archive = await backUp(system);
  const { restore, database, models, environment } = await target();
  // The state that kill -9 leaves behind: the mark, and some of the documents.
  await database
    .collection<{ _id: string }>('data_versions')
    .insertOne({ _id: 'restore', backup: 'the-backup' } as never);
  await models.organizations.collection.insertOne({ slug: 'half' } as never);
  await expect(startSystem({ worker: false, environment })).rejects.toThrow(
    /^The restore of the-backup into this database did not end: wait for it, or run "riskgraph backup restore" again/,
  );
  await restore(archive);
  expect(await models.organizations.distinct('slug')).toEqual(['alpha']);
});

test('of two documents under one key, which were there one after the other, the second one is left out', async () => {
  const { database, models } = await target();
  const begunAt = new Date();
  const organization = new Types.ObjectId();
  const idAt = (ms: number): Types.ObjectId =>
    Types.ObjectId.createFromTime(Math.floor((begunAt.getTime() + ms) / 1_000));
  const [old, made, older, changed] = [idAt(-9e9), idAt(5_000), idAt(-9e9 + 1_000), idAt(-8e9)];
  await models.patients.collection.insertMany([
    { _id: old, organization, mrnIndex: 'a' },
    { _id: made, organization, mrnIndex: 'a' },
    // Two patients of before: the first one got another MRN after it was read, and the second one got that of the first.
    { _id: older, organization, mrnIndex: 'b' },
    { _id: changed, organization, mrnIndex: 'b' },
  ] as never[]);
  expect(await makeIndexes(models, begunAt)).toBe(2);
  expect(await database.collection('patients').find().sort({ _id: 1 }).toArray()).toEqual([
    { _id: old, organization, mrnIndex: 'a' },
    { _id: older, organization, mrnIndex: 'b' },
    { _id: changed, organization },
  ]);
});

test('a data key that was removed while the backup was made is there, and an organization has one active key', async () => {
  const system = await startSystem({ worker: false });
  await patient(await system.client('CLINICIAN'));
  const keys = system.app.models.dataKeys;
  const [before] = await keys.find({ purpose: DataKeyPurpose.FIELDS }).lean();
  const archive = await backUp(system, async (step) => {
    // After the first reading of the keys, which follows the header.
    if (step !== 2) return;
    await keys.deleteOne({ _id: before!._id });
    await patient(await system.client('CLINICIAN'));
    await keys.collection.insertOne({ ...before!, _id: new Types.ObjectId() } as never);
  });
  const { models } = await target().then(async (made) => {
    await writeAll(made.database, archive);
    await makeIndexes(made.models, new Date());
    return made;
  });
  expect(await models.dataKeys.findById(before!._id).lean()).toMatchObject({ state: 'RETIRED' });
  expect(await models.dataKeys.countDocuments({ purpose: DataKeyPurpose.FIELDS, state: DataKeyState.ACTIVE })).toBe(1);
});

async function writeAll(database: Connection, archive: Buffer): Promise<void> {
  const write = createDocumentWriter(database);
  await examineArchive(unpackArchive(Readable.from([archive]), identity, 'the-backup'), 'the-backup', write);
}
