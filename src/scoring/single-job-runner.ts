import type { Logger } from 'pino';
import { JobStage, type Prediction, type ScoringJob } from '../../models/index.js';
import type { EventBus } from '../events/event-bus.js';
import type { RiskModel, RiskModelRegistry } from '../risk/risk-model.js';
import { timeStages, type AttemptMetrics } from './attempt-metrics.js';
import { type ModelMetrics, type RowScorer, scorePatient } from './score-patient.js';
import { describeFailure, isPermanent, PermanentError } from './job-failure.js';
import { cancelled, completed, failed, progressed, requeued } from '../jobs/job-status.js';
import type { ClaimedJob, JobStore } from '../jobs/job-store.js';
import { modelOfJob } from '../predictions/served-models.js';
import { createProgressReporter } from '../jobs/progress-reporter.js';
import type { ScorablePatient } from '../patients/scorable-patient.js';
import type { JobWithPatient, ScoringRecords } from '../jobs/scoring-records.js';
import { defined } from '../process/defined.js';
import { logError } from '../process/logger.js';
import type { Tracing } from '../process/tracing.js';

export interface SingleJobRunnerDependencies {
  readonly scoringRecords: ScoringRecords;
  readonly registry: RiskModelRegistry;
  readonly scorerOf: (model: RiskModel) => RowScorer;
  readonly jobStore: JobStore;
  readonly events: EventBus;
  readonly attempts: number;
  readonly leaseMs: number;
  readonly metrics: AttemptMetrics & ModelMetrics;
  readonly tracing: Tracing;
  readonly logger: Logger;
}

/** A job of one patient that is to be run. */
interface Work {
  readonly job: ScoringJob;
  /** The patient, if it was read together with the job. */
  readonly patient?: ScorablePatient;
  /** The claim of the job. Without it the job is as it was submitted. */
  readonly claim?: ClaimedJob;
}

/**
 * Runs a claimed job of one patient to its end.
 * @param signal aborted when the job is cancelled
 * @throws the error of the attempt, when another attempt may help: the queue delivers the job again later
 */
export async function runSingleJob(
  dependencies: SingleJobRunnerDependencies,
  claim: ClaimedJob,
  signal: AbortSignal,
): Promise<void> {
  return runTraced(dependencies, { job: claim.job, claim }, signal);
}

/**
 * Runs a job of one patient that is still as it was submitted. Most such jobs are done before anyone could see them
 * ACTIVE. So the job is claimed in the write that ends it, or when it takes longer or fails.
 * @param signal aborted when the job is cancelled
 * @throws as `runSingleJob`
 */
export async function runNewJob(
  dependencies: SingleJobRunnerDependencies,
  found: JobWithPatient,
  signal: AbortSignal,
): Promise<void> {
  return runTraced(dependencies, found, signal);
}

async function runTraced(dependencies: SingleJobRunnerDependencies, work: Work, signal: AbortSignal): Promise<void> {
  const { job, claim } = work;
  const attempt = claim ? job.attemptsThisRun : 1;
  const facts = { ...spanFacts(job), 'riskgraph.attempt': attempt };
  return dependencies.tracing.continued('score a patient', job.traceparent, facts, () =>
    runAttempt(dependencies, work, signal),
  );
}

async function runAttempt(dependencies: SingleJobRunnerDependencies, work: Work, signal: AbortSignal): Promise<void> {
  const { jobStore, events, attempts, leaseMs, metrics, tracing, logger } = dependencies;
  const { job } = work;
  const begunAt = new Date();
  const stages = timeStages(metrics, 'SINGLE', tracing);
  stages.enter(JobStage.ENCODING);
  let claiming = work.claim && Promise.resolve<ClaimedJob | null>(work.claim);
  const claimed = (): Promise<ClaimedJob | null> =>
    (claiming ??= jobStore.claimNew(job._id).catch((error: unknown) => {
      claiming = undefined;
      throw error;
    }));
  const reporter = createProgressReporter<JobStage>((stage) =>
    claimed()
      .then((claim) => claim && jobStore.changeClaimed(claim, (status) => progressed(status, { stage })))
      .catch(() => false),
  );
  /** Ends a job that is not claimed yet. @returns false when it did not end: then it is claimed, or must be */
  async function endNew(prediction: Prediction): Promise<boolean> {
    const outcome = await jobStore.completeNew(job, begunAt, prediction);
    if (outcome && outcome !== true) claiming = Promise.resolve(outcome);
    return outcome === true;
  }
  const renew = async (): Promise<void> => {
    const claim = await claiming;
    if (claim) await jobStore.renew(claim);
  };
  const renewal = setInterval(() => void renew().catch(() => undefined), leaseMs / 3);
  try {
    const enter = (stage: JobStage): void => {
      stages.enter(stage);
      reporter.report(stage);
    };
    const prediction = await predict(dependencies, work, enter, signal);
    await reporter.stop();
    const isStored =
      (!claiming && (await endNew(prediction))) || (await store(dependencies, await claimed(), prediction));
    stages.end();
    if (!isStored) {
      logger.info(named(job), 'the job was taken from this worker meanwhile: its prediction is dropped');
      return;
    }
    logger.trace({ ...named(job), stages: stages.milliseconds() }, 'job scored');
    events.publish('predictionsCreated', { organizationId: job.organization.toHexString(), count: 1 });
  } catch (error) {
    stages.end();
    await reporter.stop();
    const claim = await claimed();
    if (!claim) return;
    const now = new Date();
    if (signal.aborted) {
      await jobStore.changeClaimed(claim, (status) => cancelled(status, now));
      return;
    }
    const failure = describeFailure(error);
    metrics.failedAttempts.inc({ kind: 'SINGLE', code: failure.code });
    tracing.add({ 'error.type': failure.code });
    logError(logger, error, 'scoring attempt failed', { level: 'warn', ...named(job), code: failure.code });
    if (isPermanent(error) || claim.job.attemptsThisRun >= attempts) {
      await jobStore.changeClaimed(claim, (status) => failed(status, failure, now));
      return;
    }
    // A job that is to be cancelled ends here. In the queue it would wait for its next attempt first.
    await jobStore.changeClaimed(claim, (status, { cancelRequestedAt }) =>
      cancelRequestedAt ? cancelled(status, now) : requeued(status, failure, now),
    );
    throw error;
  } finally {
    clearInterval(renewal);
  }
}

/** Scores the job's patient. */
async function predict(
  { registry, scoringRecords, scorerOf, metrics }: SingleJobRunnerDependencies,
  { job, patient: read }: Work,
  onStage: (stage: JobStage) => void,
  signal: AbortSignal,
): Promise<Prediction> {
  const [model, patient] = await Promise.all([
    modelOfJob(registry, job),
    read ?? scoringRecords.patient(job.organization, job.patient!),
  ]);
  if (!patient) throw patientGone();
  const prediction = await scorePatient({ model, scorer: scorerOf(model), job, metrics }, patient, { signal, onStage });
  onStage(JobStage.SAVING);
  return prediction;
}

/**
 * Stores the prediction and ends the job.
 * @returns false when the job does not belong to this worker; then nothing is stored
 */
async function store(
  dependencies: SingleJobRunnerDependencies,
  claim: ClaimedJob | null,
  prediction: Prediction,
): Promise<boolean> {
  const { jobStore } = dependencies;
  // A worker that stood still for a while may come back after its job was cancelled, or taken over.
  if (!claim || !(await jobStore.holds(claim))) return false;
  if (!(await jobStore.complete(claim, prediction))) await completeInSteps(dependencies, claim, prediction);
  return true;
}

/**
 * Stores the prediction, or keeps that of an earlier attempt, and ends the job as COMPLETED, unless its patient was
 * erased. An erasure first asks the patient's unfinished jobs to stop, and then removes the predictions. So if the job
 * was not asked to stop before its end is written, a later erasure finds its prediction. If it was asked to stop, or no
 * longer holds its claim, it must check that the patient still exists.
 * @throws PermanentError when the patient is gone; then its prediction is, too
 */
async function completeInSteps(
  { scoringRecords, jobStore }: SingleJobRunnerDependencies,
  claim: ClaimedJob,
  scored: Prediction,
): Promise<void> {
  const prediction = await scoringRecords.storePrediction(scored);
  if (!prediction) throw patientGone();
  const keepUnlessErased = async (): Promise<void> => {
    if (await scoringRecords.patientExists(prediction.patient)) return;
    await scoringRecords.erasePrediction(prediction._id);
    throw patientGone();
  };
  const ended = await jobStore.changeClaimed(claim, async (status, { cancelRequestedAt }, now) => {
    if (cancelRequestedAt) await keepUnlessErased();
    return completed(status, { processed: 1, failed: 0 }, now);
  });
  if (!ended) await keepUnlessErased();
}

/** The fields by which log lines of a worker name a job, and the request that submitted it. */
export const named = ({ _id, requestId }: Pick<ScoringJob, '_id' | 'requestId'>) =>
  defined({ scoringJobId: _id.toHexString(), requestId });

/** The facts of the spans of a worker: ids and versions. */
export const spanFacts = ({ _id, kind, requestId, modelId, modelVersion }: ScoringJob) => ({
  'riskgraph.job_id': _id.toHexString(),
  'riskgraph.job_kind': kind,
  'riskgraph.request_id': requestId,
  'riskgraph.model': `${modelId}@${modelVersion}`,
});

const patientGone = (): PermanentError =>
  new PermanentError({ code: 'NOT_FOUND', message: 'The patient was deleted before it could be scored.' });
