/** Covers src/protection/check-master-keys.ts, src/protection/key-rotations.ts, src/protection/keyring.ts. */
// Threat: a master key is lost or wrong. Or it has leaked, and must be useless after a rotation. The rotation must lose
// nothing, whatever happens while it runs.

import { Types } from 'mongoose';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  DataKeyPurpose,
  type StoredDataKey,
  type KeyRotation,
  type Models,
  type StoredPatient,
} from '../../models/index.js';
import { createApp } from '../../src/app.js';
import { CreatePatientDocument, PatientDocument, UpdatePatientDocument } from '../../src/client/generated/graphql.js';
import { seedPatients } from '../../src/commands/seed.js';
import { startServerProcess } from '../../src/commands/server-process.js';
import { loadConfig } from '../../src/config/config.js';
import type { Engine } from '../../src/embedded/engine.js';
import { StartupError } from '../../src/errors.js';
import { createLogger } from '../../src/process/logger.js';
import { checkMasterKeys } from '../../src/protection/check-master-keys.js';
import { ownerOf } from '../../src/protection/data-key-store.js';
import { unwrapKey } from '../../src/protection/key-wrap.js';
import { requestRotations, rotationProgress } from '../../src/protection/request-rotations.js';
import {
  masterKeysOf,
  protectedProcess,
  randomMasterKeys,
  rotateAll,
  somePatient,
  testDatabase,
} from '../support/protection.js';
import { codesOf, startSystem, testSecretKey } from '../support/system.js';

const [oldKey, newKey] = randomMasterKeys('old', 'new') as [string, string];
const keyText = (setting: string): string => setting.split(':')[1]!;

/** Checks the master keys as a start does, which must fail. @returns the message */
async function startupMessage(models: Models, ...settings: string[]): Promise<string> {
  const thrown = await checkMasterKeys(models, masterKeysOf(...settings)).catch((error: unknown) => error);
  return thrown instanceof StartupError ? thrown.message : `no StartupError: ${String(thrown)}`;
}

describe('a process that is started', () => {
  test('without the master key names the required one in one line, without any key', async () => {
    const models = await testDatabase();
    await (await protectedProcess(models, oldKey)).keyring.writing(new Types.ObjectId());
    const line = await startupMessage(models, newKey);
    expect(line).toMatch(/master key "old", which ENCRYPTION_KEYS does not have/);
    expect(line).not.toContain('\n');
    for (const setting of [oldKey, newKey]) expect(line).not.toContain(keyText(setting).slice(0, 8));
  });

  test('with another key under the same id fails with an error that says so', async () => {
    const models = await testDatabase();
    await (await protectedProcess(models, oldKey)).keyring.writing(new Types.ObjectId());
    expect(await startupMessage(models, `old:${keyText(newKey)}`)).toMatch(
      /cannot be decrypted with the master key "old": ENCRYPTION_KEYS gives another key under that id/,
    );
  });

  test('with another SECRET_KEY as the only secret fails with an error that says so', async () => {
    const system = await startSystem({ worker: false, environment: { ENCRYPTION_KEYS: '' } });
    await (await system.client('CLINICIAN')).request(CreatePatientDocument, { input: { mrn: 'A-1' } });
    const { mongoUri, redisUrl, redisPrefix } = system.app.config;
    const config = loadConfig({
      NODE_ENV: 'test',
      LOG_LEVEL: 'silent',
      SECRET_KEY: `${testSecretKey}2`,
      MONGO_URI: mongoUri,
      REDIS_URL: redisUrl,
      REDIS_PREFIX: redisPrefix,
    });
    await expect(createApp(config, createLogger('silent', 'test'))).rejects.toThrow(/another SECRET_KEY/);
  });

  test('on a database without its data keys fails with an error that says so', async () => {
    const models = await testDatabase();
    await (await protectedProcess(models, oldKey)).scope(new Types.ObjectId()).patients.insert(somePatient());
    await models.dataKeys.deleteMany();
    expect(await startupMessage(models, oldKey)).toMatch(/no data keys: restore the collection data_keys/);
  });
});

test('a running process that lacks the master key of a data key fails only for that data key', async () => {
  const logLines: string[] = [];
  const logger = Object.assign(createLogger('warn', 'test'), {
    [pino.symbols.streamSym]: { write: (line: string) => logLines.push(line) },
  });
  const system = await startSystem({ worker: false, environment: { ENCRYPTION_KEYS: oldKey }, logger });
  const { models } = system.app;
  const client = await system.client('CLINICIAN');
  const { createPatient } = await client.request(CreatePatientDocument, {
    input: { mrn: 'A-1', familyName: 'Canary' },
  });
  const ahead = await protectedProcess(models, newKey, oldKey);
  const organization = new Types.ObjectId(await system.organizationId());
  await requestRotations(models, 'new', [organization]);
  await rotateAll(ahead);
  const token = await system.token('CLINICIAN');
  const answer = await system.post(`{ patient(id: "${createPatient.id}") { familyName } }`, undefined, token);
  expect(codesOf(answer)).toEqual(['SERVICE_UNAVAILABLE']);
  expect(answer.text).not.toMatch(/Canary|"new"|"old"/);
  await system.post(`{ patient(id: "${createPatient.id}") { familyName } }`, undefined, token);
  expect(logLines.map((line) => JSON.parse(line) as object)).toEqual([
    expect.objectContaining({ masterKey: 'new', msg: expect.stringContaining('ENCRYPTION_KEYS') as string }),
  ]);
  expect((await system.post('{ scoringJobs { totalCount } }', undefined, token)).data).toEqual({
    scoringJobs: { totalCount: 0 },
  });
});

describe('a rotation to another master key', () => {
  // Shows: 164.312(a)(2)(iv)
  test(
    'loses nothing under concurrent changes while workers are killed, and then no longer needs the old key',
    { timeout: 120_000 },
    async () => {
      const patients = 6_000;
      const system = await startSystem({ worker: false, environment: { ENCRYPTION_KEYS: `${oldKey},${newKey}` } });
      const { config, models } = system.app;
      await seedPatients(config, models, { count: patients, seed: 1, organization: 'alpha' });
      const client = await system.client('CLINICIAN');
      const organization = new Types.ObjectId(await system.organizationId());
      const { everyPatient } = system.app.scopeOf({ organizationId: organization.toHexString() });
      const expected = new Map(
        (await everyPatient.findMany((await models.patients.find({}, { _id: 1 }).lean()).map(({ _id }) => _id))).map(
          (patient) => {
            const { _id, mrn, givenName, familyName, birthDate } = patient!;
            return [_id.toHexString(), { mrn, givenName, familyName, birthDate }];
          },
        ),
      );
      const ids = [...expected.keys()];
      const replaced = (await models.patients.distinct('dataKey')) as Types.ObjectId[];

      /** A user at work during the rotation: changes one patient after the other, and sometimes creates a new one. */
      let turn = 0;
      async function change(): Promise<void> {
        turn += 1;
        const id = ids[(turn * 7919) % ids.length]!;
        const { patient } = await client.request(PatientDocument, { id });
        const familyName = `Changed ${turn}`;
        await client.request(UpdatePatientDocument, { input: { id, expectedVersion: patient!.version, familyName } });
        expected.get(id)!.familyName = familyName;
        if (turn % 10 > 0) return;
        const { createPatient } = await client.request(CreatePatientDocument, {
          input: { mrn: `NEW-${turn}`, birthDate: '1970-01-01' },
        });
        expected.set(createPatient.id, {
          mrn: `NEW-${turn}`,
          givenName: undefined,
          familyName: undefined,
          birthDate: '1970-01-01',
        });
      }
      const rotation = (): Promise<KeyRotation> => models.keyRotations.findOne().lean<KeyRotation>().orFail();
      const startWorker = (): Promise<Engine> =>
        startServerProcess('worker', {
          NODE_ENV: 'test',
          MONGO_URI: config.mongoUri,
          REDIS_URL: config.redisUrl,
          REDIS_PREFIX: config.redisPrefix,
          SECRET_KEY: testSecretKey,
          LOG_LEVEL: 'silent',
          ENCRYPTION_KEYS: `${newKey},${oldKey}`,
          RECONCILE_INTERVAL_MS: '100',
          JOB_LEASE_MS: '500',
        });
      async function killHard(worker: Engine): Promise<void> {
        process.kill(worker.pid, 'SIGKILL');
        await worker.exited;
      }

      // The first worker dies just after it made the new key. The second one dies in the middle of the documents.
      let busy = true;
      const working = (async () => {
        while (busy) await change();
      })();
      const begun = new Promise<void>(
        (resolve) => void onTestFinished(system.app.events.subscribe('dataKeysChanged', () => resolve())),
      );
      const [id] = await requestRotations(models, 'new', [organization]);
      const first = await startWorker();
      await begun;
      await killHard(first);
      expect((await rotation()).unfinished).toBe(true);
      const second = await startWorker();
      while ((await rotation()).processed === 0);
      await killHard(second);
      const { unfinished, processed, total } = await rotation();
      expect(
        unfinished && processed < total,
        'the rotation was over before its worker could be killed: seed more patients',
      ).toBe(true);
      const third = await startWorker();
      while ((await rotationProgress(models, [id!])).unfinished > 0);
      busy = false;
      await working;
      await third.stop();

      expect(await rotation()).toMatchObject({ state: 'COMPLETED', failed: 0, masterKey: 'new' });
      expect(await models.patients.countDocuments({ dataKey: { $in: replaced } })).toBe(0);
      expect(turn).toBeGreaterThan(10);
      expect((await models.dataKeys.distinct('masterKey')) as string[]).toEqual(['new']);
      // Only one new key exists, although the work was begun several times.
      expect(await models.dataKeys.countDocuments({ purpose: DataKeyPurpose.FIELDS })).toBe(2);

      const { scope, rotations } = await protectedProcess(models, newKey);
      expect(await rotations.deleteRetiredKeys(0)).toBe(1);
      const { patients: records } = scope(organization);
      const found = await records.findMany([...expected.keys()].map((one) => new Types.ObjectId(one)));
      found.forEach((patient) => expect(patient).toMatchObject(expected.get(patient!._id.toHexString())!));
      for (const { mrn } of [...expected.values()].slice(-5))
        expect(await records.findOne({ mrn })).toMatchObject({ mrn });
      expect(await startupMessage(models, oldKey)).toMatch(/"new"/);
    },
  );

  // Shows: 164.312(a)(2)(iv)
  test('leaves a leaked master key without any key to unwrap', async () => {
    const models = await testDatabase();
    const organization = new Types.ObjectId();
    const { scope } = await protectedProcess(models, oldKey);
    const { _id } = await scope(organization).patients.insert(somePatient());
    const before = await models.patients.findById(_id).lean<StoredPatient>().orFail();
    await requestRotations(models, 'new', [organization]);
    await rotateAll(await protectedProcess(models, newKey, oldKey));
    // The thief has the old key and a copy of the present database.
    const dataKeys = await models.dataKeys.find().lean<StoredDataKey[]>();
    expect(dataKeys).toHaveLength(3);
    for (const dataKey of dataKeys)
      expect(() => unwrapKey(masterKeysOf(oldKey)[0]!.key, ownerOf(dataKey), dataKey.wrappedKey.value())).toThrow();
    const after = await models.patients.findById(_id).lean<StoredPatient>().orFail();
    expect(after.dataKey).not.toEqual(before.dataKey);
    expect(after.mrn.value()).not.toEqual(before.mrn.value());
  });

  test('waits for a process with the required master key, and follows when another key is requested', async () => {
    const models = await testDatabase();
    const organization = new Types.ObjectId();
    const [thirdKey] = randomMasterKeys('third') as [string];
    const before = await protectedProcess(models, oldKey, newKey);
    await before.scope(organization).patients.insert(somePatient());
    const [id] = await requestRotations(models, 'new', [organization]);
    expect(await before.rotations.work()).toBe(false);
    expect(await requestRotations(models, 'third', [organization])).toEqual([id]);
    expect(await (await protectedProcess(models, newKey, oldKey)).rotations.work()).toBe(false);
    await rotateAll(await protectedProcess(models, thirdKey, newKey, oldKey));
    expect((await models.dataKeys.distinct('masterKey')) as string[]).toEqual(['third']);
    expect(await rotationProgress(models, [id!])).toMatchObject({ unfinished: 0, processed: 1, total: 1 });
  });
});
