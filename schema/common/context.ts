import type DataLoader from 'dataloader';
import type { Prediction, ScoringJob } from '../../models/index.js';
import type { RequestOrigin, Viewer } from '../../src/auth/viewer.js';
import type { ServiceUnavailableError, UnauthenticatedError } from '../../src/errors.js';
import type { JobStreams } from '../../src/jobs/job-stream.js';
import type { PredictionStreams } from '../../src/predictions/prediction-stream.js';
import type { Patient } from '../../src/scope/patient.js';

/** What a resolver knows of the operation it serves. One an operation; a subscription's lives through all its events. */
export interface OperationContext {
  /** Null for anonymous callers and for credentials that are not valid. */
  readonly viewer: Viewer | null;
  /** Where the operation came from, whoever sent it. */
  readonly origin: RequestOrigin;
  /** Why the credential that was sent counts for nothing. */
  readonly authenticationError?: UnauthenticatedError | ServiceUnavailableError;
  /** Correlates what a caller saw with what the log says. */
  readonly requestId: string;
  readonly loaders: Loaders;
  /** A job that the viewer names, for who follows it. Null when there is none for this viewer. */
  readJob(id: string): Promise<ScoringJob | null>;
  readonly jobStreams: JobStreams;
  readonly predictionStreams: PredictionStreams;
}

/** Reads by id, gathered into one query a tick. They keep nothing: a subscription must see every change. */
export interface Loaders {
  readonly patient: DataLoader<string, Patient | null>;
  readonly job: DataLoader<string, ScoringJob | null>;
  readonly prediction: DataLoader<string, Prediction | null>;
  /** How many predictions there are, by the id of the patient or job. */
  readonly predictionCountOfPatient: DataLoader<string, number>;
  readonly predictionCountOfJob: DataLoader<string, number>;
}
