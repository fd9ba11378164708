import type { Models } from '../../models/index.js';
import type { PatientErasure } from '../patients/patient-service.js';
import { unfinishedStates } from './job-status.js';
import type { JobStore } from './job-store.js';
import { storedPredictions } from '../predictions/stored-predictions.js';

/**
 * Removes the predictions of a patient and stops the jobs of the patient. Failures in batches and break-glass accesses
 * that name the patient are removed too.
 */
export function createPatientErasure(models: Models, store: JobStore): PatientErasure {
  return async (scope, patient) => {
    // The erasure is counted before results are searched: a worker that stores a result later sees the new count.
    await models.organizations.updateOne({ _id: scope.id }, { $inc: { erasures: 1 } });
    const waiting = await scope.scoringJobs.find(
      { patient, 'status.state': { $in: unfinishedStates } },
      { projection: { _id: 1 } },
    );
    for (const { _id } of waiting) await store.requestCancel(_id);
    await storedPredictions(scope).erase(patient);
    await scope.breakGlassAccesses.deleteMany({ patient });
    await models.scoringChunks.updateMany(
      { 'failures.patient': patient, failed: { $gt: 0 } },
      { $pull: { failures: { patient } } },
    );
  };
}
