import type { PatientFailure, ScoringJob } from '../../models/index.js';
import type { JobChange } from '../../src/jobs/job-status.js';
import type { PatientFailureType, ScoringJobEvent, ScoringJobType } from './scoring-job.type.js';

/** Maps a job to the object that the API shows. */
export function toScoringJob(job: ScoringJob): ScoringJobType {
  const { status, total } = job;
  return {
    id: job._id.toHexString(),
    kind: job.kind,
    state: status.state,
    progress: {
      stage: status.stage,
      processed: status.processed,
      total,
      percent: total === 0 ? 100 : (100 * status.processed) / total,
      failed: status.failed,
    },
    attempts: status.attempts,
    sequence: status.sequence,
    priority: job.priority,
    submittedAt: job.submittedAt,
    startedAt: status.startedAt ?? null,
    finishedAt: status.finishedAt ?? null,
    submittedBy: job.submittedBy,
    modelId: job.modelId,
    modelVersion: job.modelVersion,
    source: job,
  };
}

/** Maps a patient of a batch without a prediction to the object that the API shows. */
export const toPatientFailure = ({ patient, code, message }: PatientFailure): PatientFailureType => ({
  patientId: patient.toHexString(),
  code,
  message,
});

export function toScoringJobEvent({ sequence, collapsed, job }: JobChange): ScoringJobEvent {
  return { sequence, collapsed, job: toScoringJob(job) };
}
