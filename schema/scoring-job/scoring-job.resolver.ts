import {
  Arg,
  Args,
  Ctx,
  FieldResolver,
  ID,
  Int,
  Mutation,
  Query,
  Resolver,
  Root,
  Subscription,
  type SubscribeResolverData,
} from 'type-graphql';
import { ScoringJobState } from '../../models/index.js';
import { authorize } from '../../src/auth/authorize.js';
import { BadUserInputError, NotFoundError } from '../../src/errors.js';
import { toObjectId } from '../../src/input.js';
import { jobKinds } from '../../src/jobs/job-kinds.js';
import type { JobService } from '../../src/jobs/job-service.js';
import { transitionsKept } from '../../src/jobs/compare-and-set.js';
import { transitionsOf, type JobChange } from '../../src/jobs/job-status.js';
import type { SubmitBatch } from '../../src/jobs/batch-submission.js';
import type { PredictionService } from '../../src/predictions/prediction-service.js';
import type { RiskModelRegistry } from '../../src/risk/risk-model.js';
import { PageArguments, toConnection, toNestedConnection } from '../common/connection.js';
import type { OperationContext } from '../common/context.js';
import type { PatientMapper } from '../patient/patient.mapper.js';
import { PatientType } from '../patient/patient.type.js';
import type { PredictionMapper } from '../prediction/prediction.mapper.js';
import { PredictionConnection, PredictionType } from '../prediction/prediction.type.js';
import { toRiskModel } from '../risk-model/risk-model.mapper.js';
import { RiskModelType } from '../risk-model/risk-model.type.js';
import { ScoringJobFilter, SubmitBatchScoringJobInput, SubmitScoringJobInput } from './scoring-job.input.js';
import { createEarlyPrediction } from './early-prediction.js';
import { toPatientFailure, toScoringJob, toScoringJobEvent } from './scoring-job.mapper.js';
import {
  JobError,
  JobTransitionType,
  PatientFailureConnection,
  PatientFailureType,
  ScoringJobConnection,
  ScoringJobEvent,
  ScoringJobType,
} from './scoring-job.type.js';

/**
 * The API of scoring jobs. An operation on jobs goes through these steps:
 * 1. The permission rules have let the caller in.
 * 2. The service checks the caller's rights again, validates the input, and reads or changes the job.
 * 3. The mapper turns the job into the object that the API shows.
 * 4. The field resolvers read patient, predictions, model and failures only when a caller asks for them.
 */
@Resolver(() => ScoringJobType)
export class ScoringJobResolver {
  constructor(
    private readonly service: JobService,
    private readonly submitBatch: SubmitBatch,
    private readonly predictionService: PredictionService,
    private readonly registry: RiskModelRegistry,
    private readonly toPatient: PatientMapper,
    private readonly toPrediction: PredictionMapper,
  ) {}

  @Query(() => ScoringJobType, {
    nullable: true,
    description: 'Finds a job. Null when there is none that this caller may see.',
  })
  async scoringJob(
    @Arg('id', () => ID, { description: 'Id of the job.' }) id: string,
    @Ctx() { viewer }: OperationContext,
  ): Promise<ScoringJobType | null> {
    const job = await this.service.find(viewer, id);
    return job && toScoringJob(job);
  }

  @Query(() => ScoringJobConnection, { description: 'Newest first.' })
  async scoringJobs(
    @Args(() => PageArguments) page: PageArguments,
    @Arg('filter', () => ScoringJobFilter, { nullable: true, description: 'Absent: every job.' })
    filter: ScoringJobFilter | null,
    @Ctx() { viewer }: OperationContext,
  ): Promise<InstanceType<typeof ScoringJobConnection>> {
    return toConnection(await this.service.list(viewer, page, filter ?? {}), toScoringJob);
  }

  @Mutation(() => ScoringJobType, {
    description: 'Accepts a job for one patient. Every accepted job ends in a terminal state.',
  })
  async submitScoringJob(
    @Arg('input', () => SubmitScoringJobInput, { description: 'The patient and the model.' })
    input: SubmitScoringJobInput,
    @Ctx() { viewer }: OperationContext,
  ): Promise<ScoringJobType> {
    return toScoringJob(await this.service.submit(viewer, input));
  }

  @Mutation(() => ScoringJobType, {
    description:
      'Accepts a job for many patients, up to 1,000,000. The list of patients is fixed now. Their values are read ' +
      'when they are scored.',
  })
  async submitBatchScoringJob(
    @Arg('input', () => SubmitBatchScoringJobInput, { description: 'The patients and the model.' })
    input: SubmitBatchScoringJobInput,
    @Ctx() { viewer }: OperationContext,
  ): Promise<ScoringJobType> {
    return toScoringJob(await this.submitBatch(viewer, input));
  }

  @Mutation(() => ScoringJobType, {
    description:
      'A waiting job ends at once, a running one when its worker gets the request. Subscribe to see the end.',
  })
  async cancelScoringJob(
    @Arg('id', () => ID, { description: 'Id of the job.' }) id: string,
    @Ctx() { viewer }: OperationContext,
  ): Promise<ScoringJobType> {
    return toScoringJob(await this.service.cancel(viewer, id));
  }

  @Mutation(() => ScoringJobType, {
    description: 'Runs a FAILED or CANCELLED job again. The predictions that it has stored are kept.',
  })
  async retryScoringJob(
    @Arg('id', () => ID, { description: 'Id of the job.' }) id: string,
    @Ctx() { viewer }: OperationContext,
  ): Promise<ScoringJobType> {
    return toScoringJob(await this.service.retry(viewer, id));
  }

  @Subscription(() => ScoringJobEvent, {
    description:
      'Sends the present state of the job, then every change, and completes after the terminal state. ' +
      '`after` resumes after a sequence number.',
    subscribe: ({
      args,
      context,
    }: SubscribeResolverData<JobChange, { id: string; after?: number | null }, OperationContext>) =>
      followJob(args.id, sequenceOf(context) ?? args.after ?? 0, context),
  })
  scoringJobUpdated(
    @Root() change: JobChange,
    @Arg('id', () => ID, { description: 'Id of the job.' }) _id: string,
    @Arg('after', () => Int, { nullable: true, description: 'Sequence number of the last event that the caller has.' })
    _after: number | null,
  ): ScoringJobEvent {
    return toScoringJobEvent(change);
  }

  @Subscription(() => ScoringJobEvent, {
    description:
      'Sends every change of the jobs of a list, for a page that shows them. Subscribe first, and then read the page ' +
      'with scoringJobs. A job that leaves the list is sent once more. Of a job that was not sent before, `collapsed` ' +
      'counts from its first change. After a lost connection, read the page again.',
    subscribe: ({
      args,
      context,
    }: SubscribeResolverData<JobChange, { filter?: ScoringJobFilter | null }, OperationContext>) =>
      followJobs(args.filter ?? {}, context),
  })
  scoringJobsUpdated(
    @Root() change: JobChange,
    @Arg('filter', () => ScoringJobFilter, { nullable: true, description: 'Absent: every job.' })
    _filter: ScoringJobFilter | null,
  ): ScoringJobEvent {
    return toScoringJobEvent(change);
  }

  @FieldResolver(() => PatientType, {
    nullable: true,
    description: 'The patient of a SINGLE job; null after the patient was deleted.',
    complexity: 65,
  })
  async patient(
    @Root() { source }: ScoringJobType,
    @Ctx() { loaders, viewer }: OperationContext,
  ): Promise<PatientType | null> {
    const patient = source.patient && (await loaders.patient.load(source.patient.toHexString()));
    return patient ? this.toPatient(patient, viewer) : null;
  }

  @FieldResolver(() => PredictionType, {
    nullable: true,
    description: 'The prediction of a SINGLE job that is COMPLETED.',
    complexity: 300,
  })
  async prediction(
    @Root() { source }: ScoringJobType,
    @Ctx() { viewer, earlyPrediction }: OperationContext,
  ): Promise<PredictionType | null> {
    if (!jobKinds[source.kind].ofOnePatient) return null;
    if (source.status.state !== ScoringJobState.COMPLETED) {
      earlyPrediction?.expect(source);
      return null;
    }
    const read = await earlyPrediction?.take(source);
    const prediction = await this.predictionService.ofJob(viewer, source, read);
    return prediction && this.toPrediction(viewer)(prediction);
  }

  @FieldResolver(() => PredictionConnection, {
    nullable: true,
    description: 'Newest first. Null, with an error, for a caller who may not read predictions.',
  })
  predictions(
    @Root() { id }: ScoringJobType,
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { viewer, loaders }: OperationContext,
  ): InstanceType<typeof PredictionConnection> {
    const read = () => this.predictionService.list(viewer, page, { jobId: id });
    return toNestedConnection(read, this.toPrediction(viewer), () => loaders.predictionCountOfJob.load(id));
  }

  @FieldResolver(() => [JobTransitionType], {
    description:
      'The latest changes of state and attempt, oldest first. A job keeps at most 200. Long after its end it keeps ' +
      'its submission, its first start and its end.',
  })
  transitions(
    @Root() { source }: ScoringJobType,
    @Arg('last', () => Int, {
      nullable: true,
      defaultValue: 20,
      description: 'Most changes to return, from 1 to 200.',
    })
    last: number | null,
  ): JobTransitionType[] {
    const most = last ?? 20;
    if (most < 1 || most > transitionsKept)
      throw new BadUserInputError([{ path: 'last', message: `must be from 1 to ${transitionsKept}` }]);
    return transitionsOf(source).slice(-most);
  }

  @FieldResolver(() => JobError, {
    nullable: true,
    description: 'The reason of a failure, or of a failed attempt. Null when there is none.',
  })
  async error(@Root() { source }: ScoringJobType, @Ctx() { loaders }: OperationContext): Promise<JobError | null> {
    return source.status.error ? loaders.jobError.load(source) : null;
  }

  @FieldResolver(() => RiskModelType, {
    nullable: true,
    description: 'Null when the deployment no longer has this version. A retired version is still shown.',
  })
  async model(@Root() { source }: ScoringJobType): Promise<RiskModelType | null> {
    const model = await this.registry.load(source.modelId, source.modelVersion);
    return model ? toRiskModel(model) : null;
  }

  @FieldResolver(() => [PatientFailureType], {
    nullable: true,
    description:
      'Patients of a BATCH without a prediction, and the reasons. progress.failed counts them all, and ' +
      'failureConnection lists them all. Null, with an error, for a caller who may not read predictions.',
  })
  async failures(
    @Root() { source }: ScoringJobType,
    @Arg('first', () => Int, {
      nullable: true,
      defaultValue: 100,
      description: 'Most failures to return, from 1 to 500.',
    })
    first: number | null,
    @Ctx() { viewer }: OperationContext,
  ): Promise<PatientFailureType[]> {
    const page = await this.service.failures(viewer, source, { first: first ?? 100 });
    return page.edges.map(({ node }) => toPatientFailure(node));
  }

  @FieldResolver(() => PatientFailureConnection, {
    nullable: true,
    description:
      'All failures, page by page, in the order of the batch. Null, with an error, for a caller who may not read ' +
      'predictions.',
  })
  failureConnection(
    @Root() { source }: ScoringJobType,
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { viewer }: OperationContext,
  ): PatientFailureConnection {
    const read = () => this.service.failures(viewer, source, page);
    return toNestedConnection(read, toPatientFailure, () => this.service.countFailures(viewer, source));
  }
}

/** @throws BadUserInputError for the id of an event that is no sequence number */
function sequenceOf({ lastEventId }: OperationContext): number | undefined {
  if (lastEventId === undefined) return undefined;
  if (/^\d{1,9}$/.test(lastEventId)) return Number(lastEventId);
  throw new BadUserInputError([
    { path: 'Last-Event-ID', message: 'must be the id of an event of this subscription: leave it to your EventSource' },
  ]);
}

async function followJob(id: string, after: number, context: OperationContext): Promise<AsyncIterable<JobChange>> {
  const { viewer, readJob, readPredictionOfJob, jobStreams } = context;
  authorize(viewer, 'job:read');
  if (after < 0)
    throw new BadUserInputError([
      { path: 'after', message: 'must be 0 or more: pass the sequence of the last event that you have' },
    ]);
  const jobId = toObjectId(id);
  if (!jobId) throw new NotFoundError('This scoring job');
  const early = createEarlyPrediction(jobId, readPredictionOfJob);
  context.earlyPrediction = early;
  return jobStreams.follow(jobId, after, ({ isTry, end }) => {
    if (end) early.begin(end === 'COMPLETED');
    return readJob(id, isTry);
  });
}

/** @throws ForbiddenError, and NotFoundError for a patient that the viewer may not see */
async function followJobs(filter: ScoringJobFilter, context: OperationContext): Promise<AsyncIterable<JobChange>> {
  const { viewer, loaders, selectJobs, jobStreams } = context;
  authorize(viewer, 'job:read');
  const select = selectJobs(filter);
  if (filter.patientId != null && !(await loaders.patient.load(filter.patientId)))
    throw new NotFoundError('This patient');
  const changes = jobStreams.followList(viewer.organizationId, select);
  context.startCursor = '';
  return changes;
}
