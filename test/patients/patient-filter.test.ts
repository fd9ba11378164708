import { describe, expect, test } from 'vitest';
import { AdministrativeGender, type Role } from '../../models/index.js';
import type { Viewer } from '../../src/auth/viewer.js';
import { createLatestConditions } from '../../src/patients/latest-conditions.js';
import { patientFilterSchema, patientQuery, type PatientFilter } from '../../src/patients/patient-filter.js';
import { modelId } from '../support/heart-disease.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { app } = system;

const viewer: Viewer = {
  username: 'ada',
  role: 'CLINICIAN' as Role,
  organizationId: await system.organizationId(),
  expiresAt: Number.MAX_SAFE_INTEGER,
  origin: { requestId: 'test', address: '127.0.0.1' },
};

const conditions = createLatestConditions({ models: app.models, registry: app.registry });

/** A method of a service that takes a filter. */
const doors: Record<string, (filter: PatientFilter) => Promise<unknown>> = {
  'the list of patients': (filter) => app.patients.list(viewer, {}, filter),
  'the submission of a batch': (filter) => app.submitBatch(viewer, { modelId, filter }),
};

describe.each(Object.entries(doors))('at %s', (_name, enter) => {
  test('an unknown condition is refused by its name', async () => {
    await expect(enter({ wardNumber: 7 } as PatientFilter)).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ path: 'filter.wardNumber', message: 'is not a field of this input' }],
    });
  });

  test('a family name that no patient can have is refused', async () => {
    await expect(enter({ familyName: ' ' })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ path: 'filter.familyName', message: 'must not be empty' }],
    });
  });
});

test('every condition of the schema becomes a condition of the query', async () => {
  const every = {
    mrn: 'M-1',
    familyName: 'Byron',
    mrnPrefix: 'M-',
    familyNamePrefix: 'By',
    sex: AdministrativeGender.FEMALE,
    createdAfter: new Date(1),
    updatedAfter: new Date(2),
    latestModelId: modelId,
    latestRiskBands: ['HIGH'],
    minimumLatestProbability: 0.1,
    maximumLatestProbability: 0.9,
  } satisfies PatientFilter;
  expect(Object.keys(every)).toEqual(Object.keys(patientFilterSchema.shape));
  for (const [name, value] of Object.entries(every))
    expect(
      { ...patientQuery({ [name]: value }), ...(await conditions({ [name]: value })).condition },
      name,
    ).not.toEqual({});
});
