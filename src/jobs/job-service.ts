/*
 * Scoring jobs as a viewer submits, reads, cancels and retries them.
 *
 * How a job of one patient is accepted:
 * 1. The viewer must be allowed to submit, and the input must be valid.
 * 2. A job with the same idempotency key is returned instead of a new one.
 * 3. The model must be served, and the patient must be visible to the viewer.
 * 4. The audit event is recorded, and the job is written behind it. A patient who lacks what the model needs is refused
 *    after the event.
 * 5. The job is dispatched.
 *
 * How a job is cancelled or retried:
 * 1. The viewer must be allowed to control jobs, and the job must be visible to the viewer.
 * 2. The audit event is recorded.
 * 3. The request to cancel is stored; or the job becomes QUEUED again, and is dispatched.
 */
import { Types } from 'mongoose';
import {
  ScoringJobKind,
  ScoringJobState,
  type JobFailure,
  type PatientFailure,
  type ScoringJob,
} from '../../models/index.js';
import { type AuditTrail, recorded, recordedSubmission } from '../audit/audit-trail.js';
import { careTeamAccess } from '../auth/care-team.js';
import { authorize, mayViewer } from '../auth/authorize.js';
import type { Action } from '../auth/permissions.js';
import type { Viewer } from '../auth/viewer.js';
import { BadUserInputError, ConflictError, NotFoundError } from '../errors.js';
import { parseInput, toObjectId } from '../input.js';
import type { ScopeOf } from '../scope/organization-scope.js';
import type { Page, PageRequest } from '../scope/pagination.js';
import { outsideCareTeam, type CareTeamFence } from '../patients/care-team-fence.js';
import { readVisiblePage } from '../patients/visible-rows.js';
import { modelInputs, type ModelSubject } from '../patients/model-inputs.js';
import { InvalidFeaturesError, type RiskModel, type RiskModelRegistry } from '../risk/risk-model.js';
import { findByKey, identifyRequest, refuseOtherRequest, type RequestIdentity } from './idempotency.js';
import { submitScoringJobSchema, type SubmitScoringJob } from './job-input.js';
import { type ScoringJobFilter, about, createVisibleJobs, type VisibleJob } from './visible-jobs.js';
import { visibleFailures } from './job-failures.js';
import type { SelectJobs } from './job-list-stream.js';
import { jobKinds } from './job-kinds.js';
import { revived, submitted, tellsOfPatient } from './job-status.js';
import type { BatchProgress } from './batch-progress.js';
import type { JobStore } from './job-store.js';
import type { ScoringRecords } from './scoring-records.js';
import type { SubmittedJobs } from './submitted-jobs.js';
import type { JobDispatcher } from './job-dispatcher.js';
import { requireModel, invalidFeatures } from '../predictions/served-models.js';

/**
 * Scoring jobs of the viewer's organization. Every method authorises first. A job about a patient who is closed to the
 * viewer is not found. `errors` and `failures` take jobs that another method has returned to the viewer.
 */
export interface JobService {
  find(viewer: Viewer | null, id: string): Promise<ScoringJob | null>;
  /**
   * Does the same as `find` for a subscriber. Subscribers who ask at the same time share one read.
   * @param isTry true when the caller asks again after null: then a denial is not recorded
   */
  followed(viewer: Viewer | null, id: string, isTry?: boolean): Promise<ScoringJob | null>;
  /** @returns the jobs in the order of the ids, with null for an id without a job */
  findMany(viewer: Viewer | null, ids: readonly string[]): Promise<(ScoringJob | null)[]>;
  /** Selects the jobs of a list for a subscriber. @throws ForbiddenError as `list` */
  select(viewer: Viewer | null, filter: ScoringJobFilter): SelectJobs;
  /** @throws ForbiddenError for a filter by patient without the right to see the patients of jobs */
  list(viewer: Viewer | null, request: PageRequest, filter: ScoringJobFilter): Promise<Page<ScoringJob>>;
  /**
   * The errors of the jobs, in their order; null for a job without one. A message that tells values of a patient is for
   * those who may read predictions, as `failures` is, and is recorded as such a reading. Others get a general message.
   */
  errors(viewer: Viewer | null, jobs: readonly ScoringJob[]): Promise<(JobFailure | null)[]>;
  /**
   * Accepts a job. Once this resolves, the job will reach a terminal state, even if processes die. The same idempotency
   * key gives the same job.
   * @throws BadUserInputError, NotFoundError (patient, model), ConflictError (the key was used for another request)
   */
  submit(viewer: Viewer | null, input: SubmitScoringJob): Promise<ScoringJob>;
  /**
   * Cancels a job. A waiting job ends at once. A running job ends as soon as its worker receives the request.
   * @throws NotFoundError, ConflictError when the job is COMPLETED or FAILED
   */
  cancel(viewer: Viewer | null, id: string): Promise<ScoringJob>;
  /**
   * Lists the patients of a batch that have no prediction, with the reason, in the order of the batch.
   * @throws BadUserInputError
   */
  failures(viewer: Viewer | null, job: ScoringJob, request: PageRequest): Promise<Page<PatientFailure>>;
  /** @returns the number of all failures that `failures` lists for the viewer */
  countFailures(viewer: Viewer | null, job: ScoringJob): Promise<number>;
  /** Runs a FAILED or CANCELLED job again. @throws NotFoundError, ConflictError in any other state */
  retry(viewer: Viewer | null, id: string): Promise<ScoringJob>;
}

interface JobServiceDependencies {
  readonly scopeOf: ScopeOf;
  readonly audit: AuditTrail;
  readonly fence: CareTeamFence;
  readonly scoringRecords: Pick<ScoringRecords, 'patient'>;
  readonly registry: RiskModelRegistry;
  readonly jobStore: JobStore;
  readonly jobDispatcher: JobDispatcher;
  readonly submittedJobs: SubmittedJobs;
  readonly batchProgress: BatchProgress;
}

export function createJobService({
  scopeOf,
  audit,
  fence,
  scoringRecords,
  registry,
  jobStore,
  jobDispatcher,
  submittedJobs,
  batchProgress,
}: JobServiceDependencies): JobService {
  const visibleJobs = createVisibleJobs(scopeOf, audit, fence, submittedJobs);

  /** @throws NotFoundError when there is no such job, or its patient is closed to the viewer */
  async function getVisible(viewer: Viewer, id: string, action: Action): Promise<VisibleJob> {
    const found = await visibleJobs.find(viewer, id, action);
    if (!found) throw new NotFoundError('This scoring job');
    return found;
  }

  /**
   * Returns a job that was submitted before with the same idempotency key, also when its patient was erased since.
   * @throws ForbiddenError when the patient is closed to the viewer
   */
  async function submittedBefore(viewer: Viewer, job: ScoringJob): Promise<ScoringJob> {
    const [shown] = await fence.admit(viewer, 'job:submit', [job]);
    if (!shown) throw outsideCareTeam('job:submit', job.patient?.toHexString());
    return shown;
  }

  async function revive(viewer: Viewer, known: ScoringJob): Promise<ScoringJob> {
    // The preparation comes before the job is QUEUED again, so that no worker runs it at the same time.
    if (isRevivable(known)) await jobKinds[known.kind].prepareRevival(known, scopeOf(viewer));
    let found: ScoringJob = known;
    const job = await jobStore.change(known._id, (present) => {
      found = present;
      if (!isRevivable(present)) return null;
      const now = new Date();
      return {
        status: revived(present.status, now),
        set: { attemptsThisRun: 0, dispatch: present.dispatch + 1, dispatchedAt: now },
        unset: ['cancelRequestedAt', 'lease'],
      };
    });
    if (!job) throw new NotFoundError('This scoring job');
    if (!isRevivable(found)) throw new ConflictError('id', reasonNotRevivable(found));
    await jobDispatcher.dispatch(job);
    return job;
  }

  return {
    async find(viewer, id) {
      authorize(viewer, 'job:read');
      return visibleJobs.read(viewer, id);
    },

    async followed(viewer, id, isTry) {
      authorize(viewer, 'job:read');
      return visibleJobs.followed(viewer, id, isTry);
    },

    async findMany(viewer, ids) {
      authorize(viewer, 'job:read');
      return visibleJobs.findMany(viewer, ids);
    },

    select(viewer, filter) {
      authorizeList(viewer, filter);
      return visibleJobs.select(viewer, filter);
    },

    async list(viewer, request, filter) {
      authorizeList(viewer, filter);
      return visibleJobs.list(viewer, request, filter);
    },

    async errors(viewer, jobs) {
      const telling = jobs.map(({ patient, status }) =>
        patient && status.error && tellsOfPatient(status.error) ? { patient } : null,
      );
      const shown =
        viewer && mayViewer(viewer, 'prediction:read') ? await fence.show(viewer, 'prediction:read', telling) : [];
      return jobs.map(({ status: { error } }, index) =>
        telling[index] && error && !shown[index] ? { code: error.code, message: withheldReason } : (error ?? null),
      );
    },

    async submit(viewer, input) {
      authorize(viewer, 'job:submit');
      const request = parseInput(submitScoringJobSchema, input);
      const scope = scopeOf(viewer);
      const identity = await identifyRequest(scope, viewer, request);
      const known = await findByKey(scope, identity);
      if (known) return submittedBefore(viewer, known);
      const model = requireModel(registry, request.modelId, request.modelVersion);
      const patientId = toObjectId(request.patientId);
      const patient = patientId && (await scoringRecords.patient(scope.id, patientId));
      if (!patient) throw new NotFoundError('This patient');
      const access = careTeamAccess(viewer, patient);
      if (access === 'DENIED') throw outsideCareTeam('job:submit', request.patientId);
      const wanted = jobStore.traced({
        ...newJob(viewer, model, request, identity),
        kind: ScoringJobKind.SINGLE,
        total: 1,
        patient: patient._id,
      });
      const event = { action: 'job:submit', ...about(wanted), flagged: access === 'BREAK_GLASS' } as const;
      // The reason why a patient cannot be scored is about the patient: it is given only after the audit event.
      const refusal = unscorable(viewer, model, patient);
      if (refusal) return recorded(audit, viewer, event, () => Promise.reject(refusal));
      return recordedSubmission(audit, viewer, { ...event, job: wanted }, async (inserted) => {
        const { job, created } = await jobStore.insert(wanted, async () => {
          if ('error' in inserted) throw inserted.error;
        });
        if (created) {
          if (access === 'ALLOWED') submittedJobs.keep(viewer, job);
          await jobDispatcher.dispatch(job);
          return job;
        }
        refuseOtherRequest(job, identity);
        // Another request with the same key came first: the job of the first event came to nothing.
        await audit.record(viewer, { ...event, outcome: 'FAILED' });
        return job;
      });
    },

    async cancel(viewer, id) {
      authorize(viewer, 'job:control');
      const { job: known, flagged } = await getVisible(viewer, id, 'job:control');
      return recorded(audit, viewer, { action: 'job:control', ...about(known), flagged }, async () => {
        await jobStore.requestCancel(known._id);
        const cancelled = await jobStore.find(known._id);
        if (!cancelled) throw new NotFoundError('This scoring job');
        // A batch that no worker runs at the moment ends here.
        const job = await jobKinds[cancelled.kind].refresh(cancelled, batchProgress);
        if (job.status.state === ScoringJobState.COMPLETED || job.status.state === ScoringJobState.FAILED) {
          throw new ConflictError(
            'id',
            `The scoring job is ${job.status.state} already: it can no longer be cancelled.`,
          );
        }
        return job;
      });
    },

    async failures(viewer, job, request) {
      authorize(viewer, 'prediction:read');
      return readVisiblePage(visibleFailures(scopeOf(viewer), viewer, job), request, (failures) =>
        fence.show(viewer, 'prediction:read', failures),
      );
    },
    async countFailures(viewer, job) {
      authorize(viewer, 'prediction:read');
      return visibleFailures(scopeOf(viewer), viewer, job).count();
    },

    async retry(viewer, id) {
      authorize(viewer, 'job:control');
      const { job: known, flagged } = await getVisible(viewer, id, 'job:control');
      return recorded(audit, viewer, { action: 'job:control', ...about(known), flagged }, () => revive(viewer, known));
    },
  };
}

/** The patient of a job needs a right of its own, so a filter by patient does too. */
function authorizeList(viewer: Viewer | null, { patientId }: ScoringJobFilter): asserts viewer is Viewer {
  authorize(viewer, 'job:read');
  if (patientId != null) authorize(viewer, 'prediction:read');
}

const isRevivable = ({ status, compactedAt }: ScoringJob): boolean =>
  (status.state === ScoringJobState.FAILED || status.state === ScoringJobState.CANCELLED) && !compactedAt;

const reasonNotRevivable = ({ status, compactedAt }: ScoringJob): string =>
  compactedAt
    ? 'The scoring job ended too long ago to be retried, because its retention time is over: submit a new job.'
    : `The scoring job is ${status.state}: only a FAILED or CANCELLED job can be retried.`;

/** The fields that jobs of every kind have at submission. */
export function newJob(
  viewer: Viewer,
  model: RiskModel,
  request: { readonly priority?: number | null; readonly explain?: boolean | null },
  identity: RequestIdentity | undefined,
): Omit<ScoringJob, 'kind' | 'total'> {
  const status = submitted();
  const now = new Date();
  return {
    _id: new Types.ObjectId(),
    organization: new Types.ObjectId(viewer.organizationId),
    status,
    transitions: [status],
    submittedAt: now,
    submittedBy: viewer.username,
    requestId: viewer.origin.requestId,
    modelId: model.manifest.id,
    modelVersion: model.manifest.version,
    modelSha256: model.sha256,
    explain: request.explain ?? true,
    priority: request.priority ?? 5,
    ...identity,
    attemptsThisRun: 0,
    dispatch: 1,
    dispatchedAt: now,
  };
}

/** Stands for a reason that tells values of a patient, where the viewer may not read predictions. */
const withheldReason =
  "The patient's values do not fit the risk model: ask a caller who may read predictions for the reason.";

/**
 * The refusal of a patient that cannot be scored: the job would only fail later. The reason names values of the patient, so
 * only a viewer who may read predictions gets it.
 */
function unscorable(viewer: Viewer, model: RiskModel, patient: ModelSubject): BadUserInputError | undefined {
  try {
    model.encode(modelInputs(model.manifest, patient, new Date()));
    return undefined;
  } catch (error) {
    if (!(error instanceof InvalidFeaturesError)) throw error;
    return mayViewer(viewer, 'prediction:read')
      ? invalidFeatures(error, () => 'patientId')
      : new BadUserInputError([{ path: 'patientId', message: withheldReason }]);
  }
}
