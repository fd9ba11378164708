/** Covers src/protection/blind-index.ts, src/protection/keyring.ts. */
// Threat: an attacker with a copy of the database tests guessed MRNs and names against the blind indexes, or uses their
// own organization as a dictionary for another.

import { createHash, createHmac } from 'node:crypto';
import { Types } from 'mongoose';
import { beforeAll, expect, test } from 'vitest';
import type { ScoringJob, StoredPatient } from '../../models/index.js';
import {
  CreatePatientDocument,
  PatientDocument,
  PatientsDocument,
  SubmitBatchScoringJobDocument,
} from '../../src/client/generated/graphql.js';
import { modelId } from '../support/heart-disease.js';
import { requestRotations } from '../../src/protection/request-rotations.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { models } = system.app;
const alpha = await system.client('CLINICIAN', 'alpha');
const beta = await system.client('CLINICIAN', 'beta');
const identity = { mrn: 'A-1001', familyName: 'Smith' };

const stored = async (slug: string): Promise<StoredPatient> =>
  models.patients
    .findOne({ organization: new Types.ObjectId(await system.organizationId(slug)) })
    .lean<StoredPatient>()
    .orFail();
const jobOf = async (slug: string): Promise<ScoringJob> =>
  models.scoringJobs
    .findOne({ organization: new Types.ObjectId(await system.organizationId(slug)) })
    .lean<ScoringJob>()
    .orFail();

beforeAll(async () => {
  for (const client of [alpha, beta]) {
    await client.request(CreatePatientDocument, { input: identity });
    await client.request(SubmitBatchScoringJobDocument, {
      input: { filter: { familyName: identity.familyName }, modelId, idempotencyKey: 'visit-1' },
    });
  }
});

// Shows: 164.312(a)(2)(iv)
test('the same MRN and name have unrelated indexes in two organizations', async () => {
  const [one, other] = [await stored('alpha'), await stored('beta')];
  const [oneJob, otherJob] = [await jobOf('alpha'), await jobOf('beta')];
  const indexes = [
    one.mrnIndex,
    other.mrnIndex,
    one.familyNameIndex!,
    other.familyNameIndex!,
    oneJob.idempotencyKeyIndex!,
    otherJob.idempotencyKeyIndex!,
    oneJob.requestHash!,
    otherJob.requestHash!,
  ];
  for (const index of indexes) expect(index).toMatch(/^[\w-]{43}$/);
  expect(new Set(indexes).size).toBe(indexes.length);
  for (let length = 6; length < 43; length += 1)
    expect(one.mrnIndex.slice(0, length)).not.toBe(other.mrnIndex.slice(0, length));
});

// Shows: 164.312(a)(2)(iv)
test('no index is a hash that can be computed from the data in the database', async () => {
  const job = await jobOf('alpha');
  const patient = await stored('alpha');
  const keys = await models.dataKeys.find().lean();
  const known = [
    patient.organization.id,
    Buffer.from(patient.organization.toHexString()),
    patient._id.id,
    Buffer.from('alpha'),
    Buffer.alloc(32),
    Buffer.alloc(0),
    ...keys.flatMap(({ _id, wrappedKey, masterKey }) => [
      _id.id,
      Buffer.from(_id.toHexString()),
      wrappedKey.value(),
      Buffer.from(masterKey),
    ]),
  ];
  const request = JSON.stringify([
    ['filter', { familyName: 'Smith' }],
    ['idempotencyKey', 'visit-1'],
    ['modelId', modelId],
  ]);
  const guesses = [
    identity.mrn,
    'smith',
    'Smith',
    'visit-1',
    request,
    createHash('sha256').update(request).digest('hex'),
  ];
  const computed = guesses.flatMap((guess) => {
    const spelled = [
      '',
      'patients.mrn\0',
      'patients.familyName\0',
      'scoring_jobs.idempotencyKey\0',
      'scoring_jobs.requestHash\0',
    ].map((field) => `${field}${guess}`);
    return spelled.flatMap((text) => [
      createHash('sha256').update(text).digest('base64url'),
      ...known.map((key) => createHmac('sha256', key).update(text).digest('base64url')),
    ]);
  });
  for (const index of [patient.mrnIndex, patient.familyNameIndex, job.idempotencyKeyIndex, job.requestHash])
    expect(computed).not.toContain(index);
});

test('a copied index of another organization finds no patient', async () => {
  const [theirs, ours] = [await stored('beta'), await stored('alpha')];
  await models.patients.updateOne({ _id: ours._id }, { $set: { mrnIndex: theirs.mrnIndex } });
  expect((await alpha.request(PatientDocument, { mrn: identity.mrn })).patient).toBeNull();
  await models.patients.updateOne({ _id: ours._id }, { $set: { mrnIndex: ours.mrnIndex } });
  expect((await alpha.request(PatientDocument, { mrn: identity.mrn })).patient).toMatchObject(identity);
});

test('similar values have indexes that are not similar', async () => {
  await alpha.request(CreatePatientDocument, { input: { mrn: 'A-1002', familyName: 'Smyth' } });
  const { patients } = system.app.scopeOf({ organizationId: await system.organizationId('alpha') });
  const near = await models.patients
    .findById((await patients.findOne({ mrn: 'A-1002' }))!._id)
    .lean<StoredPatient>()
    .orFail();
  const bits = (one: string, other: string): number => {
    const [a, b] = [Buffer.from(one, 'base64url'), Buffer.from(other, 'base64url')];
    return a.reduce((sum, byte, index) => sum + (byte ^ b[index]!).toString(2).replaceAll('0', '').length, 0);
  };
  const here = await stored('alpha');
  // 128 of 256 bits differ on average; fewer than 70 differ once in 10^12 cases.
  for (const different of [bits(here.mrnIndex, near.mrnIndex), bits(here.familyNameIndex!, near.familyNameIndex!)])
    expect(different).toBeGreaterThan(70);
});

test('a rotation of the data keys keeps the indexes, and every patient is still found', async () => {
  const before = await stored('alpha');
  await requestRotations(models, system.app.config.masterKeys[0]!.id, [before.organization]);
  while (await system.app.keyRotations.work());
  const after = await stored('alpha');
  expect(after.dataKey).not.toEqual(before.dataKey);
  expect(after).toMatchObject({ mrnIndex: before.mrnIndex, familyNameIndex: before.familyNameIndex });
  expect((await alpha.request(PatientsDocument, { filter: { familyName: 'SMITH' } })).patients.edges).toHaveLength(1);
});
