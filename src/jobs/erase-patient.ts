import type { Models } from '../../models/index.js';
import type { PatientErasure } from '../patients/patient-service.js';
import { unfinishedStates } from './job-status.js';
import type { JobStore } from './job-store.js';
import { storedPredictions } from '../predictions/stored-predictions.js';

/** Removes a patient's predictions and stops its jobs; what batches and break-glass accesses noted about it goes too. */
export function createPatientErasure(models: Models, store: JobStore): PatientErasure {
  return async (scope, patient) => {
    // Before the results are looked for: whoever stores some later will see it.
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
