import { describe, expect, test } from 'vitest';
import {
  CreatePatientDocument,
  DeletePatientDocument,
  PatientDocument,
  PredictionsDocument,
  ScoringJobDocument,
  SubmitScoringJobDocument,
  UpdatePatientDocument,
} from '../../src/client/generated/graphql.js';
import { GraphqlRequestError } from '../../src/client/errors.js';
import { modelId } from '../support/heart-disease.js';
import { ended, patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem();
const client = await system.client('CLINICIAN');

const create = async (overrides?: object) => patient(client, overrides);
const read = async (id: string) => (await client.request(PatientDocument, { id })).patient;

/** Code of the error that ends an attempt, or `none`. */
const codeOf = (attempt: Promise<unknown>): Promise<string | undefined> =>
  attempt.then(
    () => 'none',
    (error: unknown) => (error instanceof GraphqlRequestError ? error.code : Promise.reject(error)),
  );

describe('a patient', () => {
  test('is stored as given and read by id and by MRN', async () => {
    const before = Date.now();
    const created = await create({
      givenName: 'Ada',
      familyName: 'Lovelace',
      birthDate: '1915-12-10',
      sex: 'FEMALE',
      features: [{ code: 'cholesterol', value: 233 }],
    });
    expect(created).toMatchObject({
      givenName: 'Ada',
      familyName: 'Lovelace',
      birthDate: '1915-12-10',
      sex: 'FEMALE',
      version: 1,
    });
    expect(created.features).toMatchObject([{ code: 'cholesterol', value: 233, unit: 'mg/dL' }]);
    expect(new Date(created.createdAt).getTime()).toBeGreaterThanOrEqual(before);
    expect(created.updatedAt).toBe(created.createdAt);
    expect(created.features![0]!.recordedAt).toBe(created.createdAt);
    expect(await read(created.id)).toEqual(created);
    expect((await client.request(PatientDocument, { mrn: created.mrn })).patient).toEqual(created);
  });

  test('may lack names, birth date, features and sex; a missing sex is UNKNOWN', async () => {
    const { createPatient } = await client.request(CreatePatientDocument, { input: { mrn: 'TEST-bare' } });
    expect(createPatient).toMatchObject({
      givenName: null,
      familyName: null,
      birthDate: null,
      sex: 'UNKNOWN',
      features: [],
    });
    const nulls = await create({ givenName: null, familyName: null, birthDate: null, sex: null, features: null });
    expect(nulls).toMatchObject({ givenName: null, familyName: null, birthDate: null, sex: 'UNKNOWN', features: [] });
  });

  test('has an MRN of its own within the organization; blanks around it do not count', async () => {
    const { mrn } = await create();
    expect(await codeOf(client.request(CreatePatientDocument, { input: { mrn: mrn! } }))).toBe('CONFLICT');
    expect(await codeOf(client.request(CreatePatientDocument, { input: { mrn: ` ${mrn}  ` } }))).toBe('CONFLICT');
    const other = await system.client('CLINICIAN', 'beta');
    expect(await codeOf(other.request(CreatePatientDocument, { input: { mrn: mrn! } }))).toBe('none');
    const second = await create();
    expect(
      await codeOf(client.request(UpdatePatientDocument, { input: { id: second.id, expectedVersion: 1, mrn } })),
    ).toBe('CONFLICT');
    expect(await read(second.id)).toEqual(second);
  });

  test('is created once when 20 callers create the same MRN at once', async () => {
    const attempts = Array.from({ length: 20 }, () =>
      codeOf(client.request(CreatePatientDocument, { input: { mrn: 'TEST-race' } })),
    );
    const outcomes = await Promise.all(attempts);
    expect(outcomes.filter((code) => code === 'none')).toHaveLength(1);
    expect(outcomes.filter((code) => code === 'CONFLICT')).toHaveLength(19);
  });
});

describe('an update', () => {
  test('changes what is given, clears what is null, and leaves the rest', async () => {
    const { id } = await create({
      givenName: 'Ada',
      familyName: 'Lovelace',
      birthDate: '1915-12-10',
      sex: 'FEMALE',
      features: [
        { code: 'cholesterol', value: 233 },
        { code: 'resting_bp', value: 120 },
      ],
    });
    const { updatePatient } = await client.request(UpdatePatientDocument, {
      input: {
        id,
        expectedVersion: 1,
        givenName: null,
        familyName: 'King',
        features: [
          { code: 'cholesterol', value: null },
          { code: 'age', value: 50 },
        ],
      },
    });
    expect(updatePatient).toMatchObject({
      givenName: null,
      familyName: 'King',
      birthDate: '1915-12-10',
      sex: 'FEMALE',
      version: 2,
    });
    expect(updatePatient.features!.map(({ code, value }) => [code, value])).toEqual([
      ['resting_bp', 120],
      ['age', 50],
    ]);
    expect(new Date(updatePatient.updatedAt) >= new Date(updatePatient.createdAt)).toBe(true);
    const cleared = await client.request(UpdatePatientDocument, {
      input: { id, expectedVersion: 2, birthDate: null, sex: null },
    });
    expect(cleared.updatePatient).toMatchObject({ familyName: 'King', birthDate: null, sex: 'UNKNOWN', version: 3 });
    expect(await read(id)).toEqual(cleared.updatePatient);
  });

  // Shows: 164.312(c)(1)
  test('of a version that is not the current one is CONFLICT and changes nothing', async () => {
    const patient = await create({ familyName: 'Lovelace' });
    for (const expectedVersion of [2, 99]) {
      expect(
        await codeOf(
          client.request(UpdatePatientDocument, { input: { id: patient.id, expectedVersion, familyName: 'King' } }),
        ),
      ).toBe('CONFLICT');
    }
    await client.request(UpdatePatientDocument, { input: { id: patient.id, expectedVersion: 1, familyName: 'King' } });
    expect(
      await codeOf(
        client.request(UpdatePatientDocument, { input: { id: patient.id, expectedVersion: 1, familyName: 'Byron' } }),
      ),
    ).toBe('CONFLICT');
    expect(await read(patient.id)).toMatchObject({ familyName: 'King', version: 2 });
  });

  // Shows: 164.312(c)(1)
  test('succeeds exactly once when 20 callers update the same version at once', async () => {
    const { id } = await create();
    const names = Array.from({ length: 20 }, (_, number) => `Name ${number}`);
    const outcomes = await Promise.all(
      names.map((familyName) =>
        codeOf(client.request(UpdatePatientDocument, { input: { id, expectedVersion: 1, familyName } })),
      ),
    );
    const winners = names.filter((_, index) => outcomes[index] === 'none');
    expect(winners).toHaveLength(1);
    expect(outcomes.filter((code) => code === 'CONFLICT')).toHaveLength(19);
    expect(await read(id)).toMatchObject({ familyName: winners[0], version: 2 });
  });
});

describe('a deletion', () => {
  test('erases the patient and its predictions; the job stays without both', async () => {
    const { id, mrn } = await create();
    const job = await submit(client, { patientId: id });
    await ended(client, job.id);
    expect((await client.request(PredictionsDocument, { filter: { patientId: id } })).predictions.totalCount).toBe(1);

    expect((await client.request(DeletePatientDocument, { id })).deletePatient).toEqual({ id });
    expect(await read(id)).toBeNull();
    expect((await client.request(PatientDocument, { mrn })).patient).toBeNull();
    expect((await client.request(PredictionsDocument, { filter: { patientId: id } })).predictions.totalCount).toBe(0);
    expect((await client.request(ScoringJobDocument, { id: job.id })).scoringJob).toMatchObject({
      state: 'COMPLETED',
      patient: null,
      prediction: null,
    });
    expect(await system.app.models.predictions.countDocuments({ patient: id })).toBe(0);

    expect(await codeOf(client.request(DeletePatientDocument, { id }))).toBe('NOT_FOUND');
    expect(await codeOf(client.request(UpdatePatientDocument, { input: { id, expectedVersion: 1 } }))).toBe(
      'NOT_FOUND',
    );
    expect(await codeOf(client.request(SubmitScoringJobDocument, { input: { patientId: id, modelId } }))).toBe(
      'NOT_FOUND',
    );
    expect(await codeOf(client.request(CreatePatientDocument, { input: { mrn: mrn! } }))).toBe('none');
  });
});
