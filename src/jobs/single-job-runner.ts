import type { Logger } from 'pino';
import { JobStage, type Prediction, type ScoringJob } from '../../models/index.js';
import type { EventBus } from '../events/event-bus.js';
import type { RiskModelRegistry } from '../risk/risk-model.js';
import { describeFault, isPermanent, PermanentFault } from './job-fault.js';
import { cancelled, completed, failed, progressed, requeued } from './job-status.js';
import type { ClaimedJob, JobStore } from './job-store.js';
import { servedModel } from './served-model.js';
import { createProgressReporter } from './progress-reporter.js';
import type { ScoringRecords } from './scoring-records.js';
import { scorePatients } from './score-patients.js';

export interface SingleJobRunnerDependencies {
  readonly records: ScoringRecords;
  readonly registry: RiskModelRegistry;
  readonly store: JobStore;
  readonly events: EventBus;
  readonly attempts: number;
  readonly leaseMs: number;
  readonly logger: Logger;
}

/**
 * Runs a claimed job of one patient to its end.
 * @param signal aborted when the job is cancelled
 * @throws what made the attempt fail, when it is worth another: the queue brings the job again, later
 */
export async function runSingleJob(dependencies: SingleJobRunnerDependencies, claim: ClaimedJob, signal: AbortSignal): Promise<void> {
  const { store, events, attempts, leaseMs, logger } = dependencies;
  const reporter = createProgressReporter<JobStage>((stage) => store.changeClaimed(claim, (status) => progressed(status, { stage })).catch(() => false));
  const renewal = setInterval(() => void store.renew(claim).catch(() => undefined), leaseMs / 3);
  try {
    const prediction = await predict(dependencies, claim.job, (stage) => reporter.report(stage), signal);
    await reporter.stop();
    await store.changeClaimed(claim, (status) => completed(status, { processed: 1, failed: 0 }, new Date()));
    events.publish('predictionsCreated', {
      organizationId: claim.job.organization.toHexString(),
      predictionIds: [prediction._id.toHexString()],
      patientIds: [prediction.patient.toHexString()],
    });
  } catch (error) {
    await reporter.stop();
    const now = new Date();
    if (signal.aborted) {
      await store.changeClaimed(claim, (status) => cancelled(status, now));
      return;
    }
    const fault = describeFault(error);
    logger.warn({ scoringJobId: claim.job._id.toHexString(), code: fault.code, errorName: errorName(error) }, 'scoring attempt failed');
    if (isPermanent(error) || claim.job.attemptsThisRun >= attempts) {
      await store.changeClaimed(claim, (status) => failed(status, fault, now));
      return;
    }
    await store.changeClaimed(claim, (status) => requeued(status, fault));
    throw error;
  } finally {
    clearInterval(renewal);
  }
}

/** Scores the job's patient and stores the prediction; one that an earlier attempt stored is kept. */
async function predict(
  { records, registry }: SingleJobRunnerDependencies,
  job: ScoringJob,
  onStage: (stage: JobStage) => void,
  signal: AbortSignal,
): Promise<Prediction> {
  const model = servedModel(registry, job);
  const patient = await records.patient(job.organization, job.patient!);
  if (!patient) throw patientGone();
  const { predictions, failures } = await scorePatients(model, job, [patient], { signal, onStage });
  const [prediction] = predictions;
  if (!prediction) throw new PermanentFault(failures[0]!.fault);
  signal.throwIfAborted();
  onStage(JobStage.SAVING);
  const stored = await records.storePrediction(prediction);
  // Erased while we computed: whoever erased it may have looked for predictions before ours was stored.
  if (!(await records.patientExists(patient._id))) {
    await records.erasePrediction(stored._id);
    throw patientGone();
  }
  return stored;
}

const patientGone = (): PermanentFault =>
  new PermanentFault({ code: 'NOT_FOUND', message: 'The patient was deleted before it could be scored.' });

const errorName = (error: unknown): string => (error instanceof Error ? error.name : typeof error);
