import DataLoader from 'dataloader';
import type { ExecutionResult } from 'graphql';
import type { JobFailure, Prediction, ScoringJob } from '../../models/index.js';
import type { App } from '../app.js';
import type { BeforeLookup } from '../identity/authenticator.js';
import type { RequestOrigin, Viewer } from '../auth/viewer.js';
import { isDatabaseOutage } from '../storage/database.js';
import { ServiceUnavailableError, UnauthenticatedError } from '../errors.js';
import type { SelectJobs } from '../jobs/job-list-stream.js';
import type { JobStreams } from '../jobs/job-stream.js';
import type { ScoringJobFilter } from '../jobs/visible-jobs.js';
import type { ReadPrediction } from '../predictions/prediction-service.js';
import type { PredictionStreams } from '../predictions/prediction-stream.js';
import type { Patient } from '../scope/patient.js';
import type { Operation } from './operations.js';

/** The parts of the app that the transport works with. */
export type HttpParts = Pick<
  App,
  | 'config'
  | 'logger'
  | 'database'
  | 'models'
  | 'registry'
  | 'audit'
  | 'identity'
  | 'patients'
  | 'jobs'
  | 'predictions'
  | 'metrics'
  | 'tracing'
  | 'queueDepths'
  | 'redisConnections'
  | 'submitCohort'
  | 'readBatchResults'
  | 'connectRedis'
>;

/** The sources of each operation's context. The schema reads the context as its OperationContext. */
export interface ContextSources {
  readonly app: HttpParts;
  readonly jobStreams: JobStreams;
  readonly predictionStreams: PredictionStreams;
}

/**
 * Creates the context of one operation. Its caller is authenticated, is anonymous, or sent a credential that is not
 * valid.
 */
export function createOperationContext(
  { app, jobStreams, predictionStreams }: ContextSources,
  caller: Caller,
  requestId: string,
) {
  const context = {
    ...caller,
    requestId,
    /** Time of the process at which the operation arrived, milliseconds (`performance.now`). */
    begunAt: performance.now(),
    jobStreams,
    predictionStreams,
    /** Id of the event behind which a subscription resumes, when the transport names one in place of `after`. */
    lastEventId: undefined as string | undefined,
    /** Cursor at which a subscription began, for a client that loses its connection before an event. May be empty. */
    startCursor: undefined as string | undefined,
    /** The operation, or the event of a subscription, that is being executed. */
    operation: undefined as Operation | undefined,
    /** The result of the operation, for Apollo Server. */
    executing: undefined as Promise<ExecutionResult> | undefined,
    loaders: createLoaders(app, caller.viewer, () => context.operation?.check()),
    readPrediction: (id: string): Promise<Prediction | null> => app.predictions.followed(caller.viewer, id),
    readJob: (id: string, isTry: boolean): Promise<ScoringJob | null> => app.jobs.followed(caller.viewer, id, isTry),
    readPredictionOfJob: (job: Pick<ScoringJob, '_id' | 'patient'>, isExpected: boolean): Promise<ReadPrediction> =>
      app.predictions.readOfJob(caller.viewer, job, isExpected),
    selectJobs: (filter: ScoringJobFilter): SelectJobs => app.jobs.select(caller.viewer, filter),
  };
  return context;
}

/** The sender of a request. */
export interface Caller {
  readonly viewer: Viewer | null;
  readonly origin: RequestOrigin;
  /** The reason why the sent credential is not accepted: it is not valid, or it cannot be verified now. */
  readonly authenticationError?: UnauthenticatedError | ServiceUnavailableError;
}

/**
 * Identifies the caller. A credential that is not valid makes an anonymous caller; the first rule that refuses this
 * caller gives the reason.
 * @throws what `beforeLookup` throws
 */
export async function identifyCaller(
  { identity }: Pick<App, 'identity'>,
  authorization: unknown,
  origin: RequestOrigin,
  beforeLookup?: BeforeLookup,
): Promise<Caller> {
  try {
    const found = await identity.authenticator.authenticate(authorization, beforeLookup);
    return { viewer: found && { ...found, origin }, origin };
  } catch (error) {
    if (error instanceof UnauthenticatedError || error instanceof ServiceUnavailableError)
      return { viewer: null, origin, authenticationError: error };
    if (!isDatabaseOutage(error)) throw error;
    return {
      viewer: null,
      origin,
      authenticationError: new ServiceUnavailableError('The database does not answer: try again in a moment.'),
    };
  }
}

/**
 * Creates loaders that batch but do not cache: data change during the life of a subscription's context. Each is made when
 * it is first asked: most operations need none.
 * @param check throws when the operation was broken off. Then nothing more is read for it.
 */
function createLoaders(
  { patients, jobs, predictions }: Pick<App, 'patients' | 'jobs' | 'predictions'>,
  viewer: Viewer | null,
  check: () => void,
) {
  function loader<T, K = string>(read: (keys: readonly K[]) => Promise<T[]>): Pick<DataLoader<K, T>, 'load'> {
    let made: DataLoader<K, T> | undefined;
    const make = (): DataLoader<K, T> =>
      new DataLoader(
        async (keys) => {
          check();
          return read(keys);
        },
        { cache: false },
      );
    return { load: (key) => (made ??= make()).load(key) };
  }
  return {
    patient: loader<Patient | null>((ids) => patients.findMany(viewer, ids)),
    predictionCountOfPatient: loader<number>((ids) => predictions.countOfPatients(viewer, ids)),
    predictionCountOfJob: loader<number>((ids) => predictions.countOfJobs(viewer, ids)),
    prediction: loader<Prediction | null>((ids) => predictions.findMany(viewer, ids)),
    job: loader<ScoringJob | null>((ids) => jobs.findMany(viewer, ids)),
    jobError: loader<JobFailure | null, ScoringJob>((failed) => jobs.errors(viewer, failed)),
  };
}
