import DataLoader from 'dataloader';
import type { Prediction, ScoringJob } from '../../models/index.js';
import type { App } from '../app.js';
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

/** What each operation is given; the schema reads it as its OperationContext. */
export interface ContextSources {
  readonly app: HttpParts;
  readonly jobStreams: JobStreams;
  readonly predictionStreams: PredictionStreams;
}

/** The context of one operation of an authenticated, anonymous or wrongly authenticated caller. */
export function createOperationContext(
  { app, jobStreams, predictionStreams }: ContextSources,
  caller: Caller,
  requestId: string,
) {
  const readJob = (id: string): Promise<ScoringJob | null> => app.jobs.find(caller.viewer, id);
  return { ...caller, requestId, jobStreams, predictionStreams, loaders: createLoaders(app, caller.viewer), readJob };
}

export interface Caller {
  readonly viewer: Viewer | null;
  readonly origin: RequestOrigin;
  /** Why the credential that was sent counts for nothing: it is not valid, or that cannot be told just now. */
  readonly authenticationError?: UnauthenticatedError | ServiceUnavailableError;
}

/** A credential that is not valid makes an anonymous caller, who is told why by the first rule that refuses. */
export async function identifyCaller(
  { identity }: Pick<App, 'identity'>,
  authorization: unknown,
  origin: RequestOrigin,
): Promise<Caller> {
  try {
    const found = await identity.authenticator.authenticate(authorization);
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

/** Batches, but remembers nothing: the context of a subscription outlives many changes. */
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
  };
}
