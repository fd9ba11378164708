import type { Models, ScoringJob } from '../../models/index.js';
import type { PatientErasure } from '../patients/patient-service.js';
import { openStates } from './job-status.js';
import type { JobStore } from './job-store.js';

/** Removes a patient's predictions and stops its jobs; what batches noted about it goes too. */
export function createPatientErasure(models: Models, store: JobStore): PatientErasure {
  return async (organization, patient) => {
    const waiting = await models.scoringJobs
      .find({ organization, patient, 'status.state': { $in: openStates } }, { _id: 1 })
      .lean<Pick<ScoringJob, '_id'>[]>();
    for (const { _id } of waiting) await store.requestCancel(_id);
    await models.predictions.deleteMany({ organization, patient });
    await models.scoringChunks.updateMany({ 'failures.patient': patient }, { $pull: { failures: { patient } } });
  };
}
