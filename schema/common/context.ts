import type DataLoader from 'dataloader';
import type { JobFailure, Prediction, ScoringJob } from '../../models/index.js';
import type { RequestOrigin, Viewer } from '../../src/auth/viewer.js';
import type { ServiceUnavailableError, UnauthenticatedError } from '../../src/errors.js';
import type { SelectJobs } from '../../src/jobs/job-list-stream.js';
import type { JobStreams } from '../../src/jobs/job-stream.js';
import type { ScoringJobFilter } from '../../src/jobs/visible-jobs.js';
import type { ReadPrediction } from '../../src/predictions/prediction-service.js';
import type { PredictionStreams } from '../../src/predictions/prediction-stream.js';
import type { Patient } from '../../src/scope/patient.js';
import type { EarlyPrediction } from '../scoring-job/early-prediction.js';

/**
 * The facts that a resolver has about its operation. There is one context per operation; a subscription keeps its own
 * through all events.
 */
export interface OperationContext {
  /** Null for an anonymous caller, and for a credential that is not valid. */
  readonly viewer: Viewer | null;
  /** The source of the operation, for anonymous callers too. */
  readonly origin: RequestOrigin;
  /** The reason why the credential that was sent is not accepted. */
  readonly authenticationError?: UnauthenticatedError | ServiceUnavailableError;
  /** The id under which the answer to the caller and the log name the request. */
  readonly requestId: string;
  /** Id of the event behind which a subscription resumes, when the transport names one in place of `after`. */
  readonly lastEventId?: string;
  /** The subscription puts the cursor of its beginning here. Empty: it has begun, and has no cursors. */
  startCursor?: string;
  readonly loaders: Loaders;
  /** Reads a new prediction that a subscription follows. Null when there is none that this viewer may see. */
  readPrediction(id: string): Promise<Prediction | null>;
  /**
   * Reads a job that a subscription follows. Null when there is none that this viewer may see.
   * @param isTry true when the caller asks again after null: then a denial is not recorded
   */
  readJob(id: string, isTry: boolean): Promise<ScoringJob | null>;
  /**
   * Reads the prediction of a job of one patient, before it is known whether it will be shown.
   * @param isExpected true when the job is known to have completed
   */
  readPredictionOfJob(job: Pick<ScoringJob, '_id' | 'patient'>, isExpected: boolean): Promise<ReadPrediction>;
  /** Only a subscription to one job has this. It is about that job alone. */
  earlyPrediction?: EarlyPrediction;
  /** Selects the jobs of a list that this viewer may see. @throws ForbiddenError */
  selectJobs(filter: ScoringJobFilter): SelectJobs;
  readonly jobStreams: JobStreams;
  readonly predictionStreams: PredictionStreams;
}

type Loader<K, T> = Pick<DataLoader<K, T>, 'load'>;

/** Reads by id, gathered into one query per tick. They cache nothing, because a subscription must see every change. */
export interface Loaders {
  readonly patient: Loader<string, Patient | null>;
  readonly prediction: Loader<string, Prediction | null>;
  readonly job: Loader<string, ScoringJob | null>;
  /** The error of a job, as the viewer may see it. */
  readonly jobError: Loader<ScoringJob, JobFailure | null>;
  /** Number of predictions, by the id of the patient or job. */
  readonly predictionCountOfPatient: Loader<string, number>;
  readonly predictionCountOfJob: Loader<string, number>;
}
