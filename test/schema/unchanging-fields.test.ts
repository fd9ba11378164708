import { Types } from 'mongoose';
import { expect, test } from 'vitest';
import { AdministrativeGender, Role } from '../../models/index.js';
import { createPatientMapper } from '../../schema/patient/patient.mapper.js';
import { unchangingFields } from '../../schema/unchanging-fields.js';
import type { Viewer } from '../../src/auth/viewer.js';
import { unchanging, type Unchanging } from '../../src/scope/unchanging.js';
import type { Patient } from '../../src/scope/patient.js';
import { patient } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const viewerOf = (role: Role, username = 'ada'): Viewer => ({
  username,
  role,
  organizationId: new Types.ObjectId().toHexString(),
  expiresAt: Number.MAX_SAFE_INTEGER,
  origin: { requestId: 'test', address: '127.0.0.1' },
});

const stored = (): Patient => ({
  _id: new Types.ObjectId(),
  organization: new Types.ObjectId(),
  mrn: 'M-1',
  sex: AdministrativeGender.FEMALE,
  features: [{ code: 'age', value: 95.5, recordedAt: new Date() }],
  version: 1,
  createdAt: new Date(),
  updatedAt: new Date(),
});

test('a patient has one origin per kind of viewer, as long as patient and models are the same', () => {
  let definitions = {};
  const toPatient = createPatientMapper({ get: () => undefined, issues: () => [], definitions: () => definitions });
  const shown = Object.freeze(stored());
  const originOf = (role: Role, of = shown): object | undefined =>
    (toPatient(of, viewerOf(role, role)) as Unchanging)[unchanging];
  const exact = originOf(Role.CLINICIAN);
  expect(exact).toBeDefined();
  expect(originOf(Role.CLINICIAN)).toBe(exact);
  expect(originOf(Role.ANALYST)).not.toBe(exact);
  expect(originOf(Role.ANALYST)).toBe(originOf(Role.ANALYST));
  expect(originOf(Role.CLINICIAN, Object.freeze(stored()))).not.toBe(exact);
  // A patient that can change has none.
  expect(originOf(Role.CLINICIAN, stored())).toBeUndefined();
  definitions = {};
  expect(originOf(Role.CLINICIAN)).not.toBe(exact);
});

const everyField = `{ patients(first: 5) { edges { node { ${unchangingFields
  .Patient!.map((field) =>
    field === 'features' ? `features { ${unchangingFields.PatientFeature!.join(' ')} }` : field,
  )
  .join(' ')} } } } }`;

test('roles that ask for the same patients in turn each see what is theirs, and every change at once', async () => {
  const system = await startSystem();
  const clinician = await system.client('CLINICIAN');
  const { id } = await patient(clinician, {
    givenName: 'Ada',
    familyName: 'Canary',
    birthDate: '1930-01-02',
    features: [{ code: 'age', value: 95 }],
  });
  const ask = async (role: 'CLINICIAN' | 'ANALYST') => {
    const { text } = await system.post(everyField, undefined, await system.token(role));
    return text;
  };
  const [ofClinician, ofAnalyst] = [await ask('CLINICIAN'), await ask('ANALYST')];
  expect(ofClinician).toContain('"familyName":"Canary"');
  expect(ofClinician).toContain('"value":95');
  expect(ofAnalyst).not.toMatch(/Canary|1930-01-02|"value":95/);
  expect(ofAnalyst).toContain('"value":90');
  for (let round = 0; round < 3; round += 1) {
    expect(await ask('CLINICIAN')).toBe(ofClinician);
    // Each error names its request, so the data alone are compared.
    expect(dataOf(await ask('ANALYST'))).toEqual(dataOf(ofAnalyst));
  }
  const update = (input: string) =>
    system.post(`mutation { updatePatient(input: { id: "${id}", ${input} }) { version } }`, undefined, clinicianToken);
  const clinicianToken = await system.token('CLINICIAN');
  expect(
    (await update('expectedVersion: 1, familyName: "Linnet", features: [{ code: "age", value: 96 }]')).errors,
  ).toBe(undefined);
  expect(await ask('CLINICIAN')).toMatch(/"familyName":"Linnet".*"value":96/);
  expect((await update('expectedVersion: 2, features: [{ code: "age", value: 40 }]')).errors).toBeUndefined();
  expect(await ask('ANALYST')).toContain('"value":40');
});

const dataOf = (text: string): unknown => (JSON.parse(text) as { data: unknown }).data;
