/** Covers src/jobs/job-service.ts. */
// Threat: the reason of a failure tells values of a patient to a caller who may not read predictions.

import { Types } from 'mongoose';
import { beforeAll, describe, expect, test } from 'vitest';
import { Role, type ScoringJob } from '../../models/index.js';
import { startWorkers } from '../../workers/index.js';
import { careTeams, type ScoredPatient } from '../support/care-team.js';
import { heartDisease, modelId, newPatient } from '../support/heart-disease.js';
import { createApiKey } from '../support/identity.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { models } = system.app;
const { clinician, patientOf, failJob, eventsOf } = careTeams(system);
const ada = await clinician('ada');
/** A reason that tells of the patient. */
const clinicalReason = 'cholesterol: 999.5 is above the range';

let hers: ScoredPatient;
beforeAll(async () => {
  const workers = await startWorkers(system.app);
  hers = await patientOf(['ada'], ada);
  await workers.close();
});

describe('the reason why a patient cannot be scored', () => {
  const withoutFeatures = async (): Promise<string> => {
    const { data } = await system.post<{ createPatient: { id: string } }>(
      'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id } }',
      { input: newPatient({ features: [], careTeam: ['ada'] }) },
      ada,
    );
    return data!.createPatient.id;
  };
  const names = heartDisease.features.filter(({ missing }) => missing.policy === 'REQUIRED').map(({ code }) => code);

  // Shows: owasp/authorization
  test('is told at submission only to callers who may read predictions', async () => {
    const submission = `mutation {
      submitScoringJob(input: { modelId: "${modelId}", patientId: "${await withoutFeatures()}" }) { id }
    }`;
    const told = await system.post(
      submission,
      undefined,
      await createApiKey(system, ['job:submit', 'prediction:read']),
    );
    expect(codesOf(told)).toEqual(['BAD_USER_INPUT']);
    expect(names.some((name) => told.text.includes(`${name} is required`))).toBe(true);
    const withheld = await system.post(submission, undefined, await createApiKey(system, ['job:submit']));
    expect(withheld.errors![0]!.extensions).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ path: 'patientId' }] });
    expect(withheld.text).not.toContain('is required');
  });

  // Shows: owasp/authorization, 164.312(b)
  test('is told of a failed job as its failures are: by the right to predictions, and recorded', async () => {
    await failJob(hers.jobId, clinicalReason);
    const errorFor = async (token: string): Promise<{ code: string; message: string }> => {
      const { data } = await system.post<{ scoringJob: { error: { code: string; message: string } } }>(
        `{ scoringJob(id: "${hers.jobId}") { error { code message } } }`,
        undefined,
        token,
      );
      return data!.scoringJob.error;
    };
    const admin = await errorFor(await system.token(Role.ADMIN));
    expect(admin.code).toBe('BAD_USER_INPUT');
    expect(admin.message).toContain('may read predictions');
    expect(await errorFor(ada)).toEqual({ code: 'BAD_USER_INPUT', message: clinicalReason });
    expect((await eventsOf(hers.id, 'ada')).at(-1)).toMatchObject({ action: 'prediction:read', outcome: 'ALLOWED' });
  });

  test('is told in full when it is about no values of a patient', async () => {
    const job = await models.scoringJobs.findById(hers.jobId).lean<ScoringJob>().orFail();
    const error = { code: 'NOT_FOUND', message: 'The risk model is no longer served.' };
    const other = { ...job, _id: new Types.ObjectId(), status: { ...job.status, error } };
    await system.app.jobStore.insert(other);
    const { data } = await system.post(
      `{ scoringJob(id: "${other._id.toHexString()}") { error { code message } } }`,
      undefined,
      await system.token(Role.ADMIN),
    );
    expect(data).toEqual({ scoringJob: { error } });
  });
});
