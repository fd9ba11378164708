import { createHash } from 'node:crypto';
import { Types } from 'mongoose';
import { expect, test } from 'vitest';
import { ScoringJobKind, ScoringJobState, type Models } from '../../models/index.js';
import { SubmitScoringJobDocument } from '../../src/client/generated/graphql.js';
import { encryptStoredData } from '../../src/encrypt-stored-data.js';
import { StartupError } from '../../src/errors.js';
import { submitted } from '../../src/jobs/job-status.js';
import { encryptStoredPatients } from '../../src/patients/encrypt-stored-patients.js';
import { goldenFeatures, modelId } from '../support/heart-disease.js';
import { namespace } from '../support/namespace.js';
import { protectedProcess, randomMasterKeys, testDatabase } from '../support/protection.js';
import { startSystem } from '../support/system.js';

const [master] = randomMasterKeys('k1') as [string];

/** A patient as the versions before encryption stored it. */
const plainPatient = (organization: Types.ObjectId, index: number) => ({
  _id: new Types.ObjectId(), organization, mrn: `PLAIN-${index}`, givenName: index % 3 === 0 ? null : `Canarygiven${index}`,
  ...(index % 2 === 0 && { familyName: `Canaryfamily${index}`, birthDate: '1951-07-23' }),
  sex: 'FEMALE', features: [], version: 1 + (index % 4), createdAt: new Date(), updatedAt: new Date(),
});
type PlainPatient = Omit<ReturnType<typeof plainPatient>, 'features'>;

/** The database of an earlier version: its indexes, and these patients. */
async function earlierDatabase(uri: string, patients: readonly PlainPatient[]): Promise<Models> {
  const models = await testDatabase(uri);
  await models.patients.collection.createIndex({ organization: 1, mrn: 1 }, { unique: true });
  await models.scoringJobs.collection.createIndex({ organization: 1, idempotencyKey: 1 }, { unique: true, partialFilterExpression: { idempotencyKey: { $type: 'string' } } });
  if (patients.length > 0) await models.patients.collection.insertMany(patients as never[]);
  return models;
}

const plainLeft = (models: Models): Promise<number> => models.patients.collection.countDocuments({ mrn: { $type: 'string' } });
const indexNames = async ({ collection }: Models['patients'] | Models['scoringJobs']): Promise<string[]> => (await collection.listIndexes().toArray()).map(({ name }) => name as string);

async function expectEncrypted(models: Models, patients: readonly PlainPatient[]): Promise<void> {
  expect(await plainLeft(models)).toBe(0);
  const { scope } = await protectedProcess(models, master);
  for (const { organization, _id, mrn, givenName, familyName, birthDate, version } of patients) {
    const opened = await scope(organization).patients.findOne({ mrn });
    expect(opened).toMatchObject({ _id, mrn, version });
    expect(opened).toMatchObject({ givenName: givenName ?? undefined, familyName, birthDate });
  }
  const raw = Buffer.concat((await models.patients.collection.find({}, { raw: true }).toArray()) as unknown as Buffer[]);
  for (const plain of ['Canary', 'PLAIN-', '1951-07-23']) expect(raw.includes(plain)).toBe(false);
  expect(await indexNames(models.patients)).not.toContain('organization_1_mrn_1');
}

test('plain patients are encrypted by several processes that start at once, one of which had been killed half-way before', async () => {
  const organizations = [new Types.ObjectId(), new Types.ObjectId()];
  const patients = Array.from({ length: 1_300 }, (_, index) => plainPatient(organizations[index % 2]!, index));
  const models = await earlierDatabase(namespace().mongoUri, patients);
  const { protectionOf } = await protectedProcess(models, master);
  const killed = encryptStoredPatients(models, protectionOf, () => {
    throw new Error('killed');
  });
  await expect(killed).rejects.toThrow('killed');
  expect(await plainLeft(models)).toBe(800);
  expect(await indexNames(models.patients)).toContain('organization_1_mrn_1');

  await Promise.all(Array.from({ length: 4 }, async () => encryptStoredData(models, (await protectedProcess(models, master)).protectionOf)));
  await expectEncrypted(models, patients);
  // Not even looked at any more.
  await encryptStoredPatients(models, protectionOf, () => expect.unreachable());
});

test('what a process of an earlier version wrote when all had been encrypted is encrypted at the next start', async () => {
  const organization = new Types.ObjectId();
  const first = plainPatient(organization, 1);
  const models = await earlierDatabase(namespace().mongoUri, [first]);
  const start = async (): Promise<void> => encryptStoredData(models, (await protectedProcess(models, master)).protectionOf);
  await start();
  const late = plainPatient(organization, 2);
  await models.patients.collection.insertOne(late as never);
  const job = { _id: new Types.ObjectId(), organization, idempotencyKey: 'Canarykey', requestHash: 'hash' };
  await models.scoringJobs.collection.insertOne(job as never);
  await start();
  await expectEncrypted(models, [first, late]);
  // A start that has nothing to do reads no document.
  for (const [{ collection }, field] of [[models.patients, 'mrn'], [models.scoringJobs, 'idempotencyKey']] as const) {
    const plan = await collection.find({ [field]: { $type: 'string' } }).limit(1).explain('executionStats');
    expect(plan.executionStats).toMatchObject({ nReturned: 0, totalDocsExamined: 0 });
  }
  expect(await models.scoringJobs.collection.findOne({ _id: job._id })).toEqual({ _id: job._id, organization, idempotencyKeyIndex: expect.any(String), requestHash: expect.any(String) });
});

test('a patient that is changed meanwhile keeps the change', async () => {
  const patient = plainPatient(new Types.ObjectId(), 2);
  const models = await earlierDatabase(namespace().mongoUri, [patient]);
  const { _id, organization } = patient;
  const { protectionOf, scope } = await protectedProcess(models, master);
  // As an earlier version would, between our read and our write.
  const changing = (owner: Types.ObjectId) => {
    const protection = protectionOf(owner);
    return {
      ...protection,
      writer: async () => {
        await models.patients.collection.updateOne({ _id, version: 3 }, { $set: { familyName: 'Changed', version: 4 } });
        return protection.writer();
      },
    };
  };
  await encryptStoredPatients(models, changing, () => undefined);
  expect(await scope(organization).patients.findOne({ _id })).toMatchObject({ mrn: 'PLAIN-2', familyName: 'Changed', version: 4 });
});

test('two MRNs that only blanks tell apart stop the start, named by their ids', async () => {
  const organization = new Types.ObjectId();
  const patients = [plainPatient(organization, 1), { ...plainPatient(organization, 2), mrn: ' PLAIN-1' }];
  const models = await earlierDatabase(namespace().mongoUri, patients);
  const attempt = encryptStoredData(models, (await protectedProcess(models, master)).protectionOf);
  await expect(attempt).rejects.toThrow(StartupError);
  const fault = await attempt.catch((error: Error) => error.message);
  expect(fault).toContain(patients[1]!._id.toHexString());
  expect(fault).not.toContain('PLAIN');
});

test('a whole system starts on an earlier database, and knows its patients and its idempotency keys', async () => {
  const { mongoUri } = namespace();
  const earlier = await earlierDatabase(mongoUri, []);
  const organization = new Types.ObjectId();
  await earlier.organizations.create({ _id: organization, slug: 'alpha', name: 'alpha', createdAt: new Date() });
  const patient = { ...plainPatient(organization, 4), features: goldenFeatures(0).map((feature) => ({ ...feature, recordedAt: new Date() })) };
  await earlier.patients.collection.insertOne(patient as never);
  const input = { patientId: patient._id.toHexString(), modelId, idempotencyKey: 'Canarykey' };
  const status = { ...submitted(), state: ScoringJobState.CANCELLED };
  const job = {
    _id: new Types.ObjectId(), organization, kind: ScoringJobKind.SINGLE, status, transitions: [status], total: 1, patient: patient._id, submittedAt: new Date(), submittedBy: 'somebody',
    modelId, modelVersion: '1.0.0', modelSha256: 's', explain: true, priority: 5, attemptsThisRun: 0, dispatch: 1, dispatchedAt: new Date(), idempotencyKey: 'Canarykey',
    requestHash: createHash('sha256').update(JSON.stringify(Object.entries(input).sort(([a], [b]) => (a < b ? -1 : 1)))).digest('hex'),
  };
  await earlier.scoringJobs.collection.insertOne(job as never);

  const system = await startSystem({ worker: false, environment: { MONGO_URI: mongoUri, ENCRYPTION_KEYS: master } });
  await expectEncrypted(earlier, [patient]);
  const client = await system.client('CLINICIAN');
  expect((await client.request(SubmitScoringJobDocument, { input })).submitScoringJob.id).toBe(job._id.toHexString());
  await expect(client.request(SubmitScoringJobDocument, { input: { ...input, priority: 1 } })).rejects.toMatchObject({ code: 'CONFLICT' });
  const [raw] = (await earlier.scoringJobs.collection.find({}, { raw: true }).toArray()) as unknown as [Buffer];
  for (const plain of ['Canarykey', job.requestHash]) expect(raw.includes(plain)).toBe(false);
  expect(await indexNames(earlier.scoringJobs)).not.toContain('organization_1_idempotencyKey_1');
});
