import DataLoader from 'dataloader';
import type { JobFailure, Prediction, ScoringJob } from '../../models/index.js';
import type { App } from '../app.js';
import type { BeforeLookup } from '../identity/authenticator.js';
import type { RequestOrigin, Viewer } from '../auth/viewer.js';
import { isDatabaseOutage } from '../storage/database.js';
import { ServiceUnavailableError, UnauthenticatedError } from '../errors.js';
import type { JobStreams } from '../jobs/job-stream.js';
import type { PredictionStreams } from '../predictions/prediction-stream.js';
import type { Patient } from '../scope/patient.js';

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
  const readJob = (id: string): Promise<ScoringJob | null> => app.jobs.find(caller.viewer, id);
  return { ...caller, requestId, jobStreams, predictionStreams, loaders: createLoaders(app, caller.viewer), readJob };
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

/** Creates loaders that batch but do not cache: data change during the life of a subscription's context. */
function createLoaders(
  { patients, jobs, predictions }: Pick<App, 'patients' | 'jobs' | 'predictions'>,
  viewer: Viewer | null,
) {
  const options = { cache: false };
  return {
    patient: new DataLoader<string, Patient | null>((ids) => patients.findMany(viewer, ids), options),
    prediction: new DataLoader<string, Prediction | null>((ids) => predictions.findMany(viewer, ids), options),
    predictionCountOfPatient: new DataLoader<string, number>(
      (ids) => predictions.countOfPatients(viewer, ids),
      options,
    ),
    predictionCountOfJob: new DataLoader<string, number>((ids) => predictions.countOfJobs(viewer, ids), options),
    job: new DataLoader<string, ScoringJob | null>((ids) => jobs.findMany(viewer, ids), options),
    jobError: new DataLoader<ScoringJob, JobFailure | null>((failed) => jobs.errors(viewer, failed), options),
  };
}
