import DataLoader from 'dataloader';
import { Types } from 'mongoose';
import type { Patient, ScoringJob } from '../../models/index.js';
import type { App } from '../app.js';
import { viewerFromAuthorization } from '../auth/access-token.js';
import type { Viewer } from '../auth/viewer.js';
import { UnauthenticatedError } from '../errors.js';
import { toObjectId } from '../input.js';
import type { JobStreams } from '../jobs/job-stream.js';
import type { PredictionStreams } from '../jobs/prediction-stream.js';

/** What each operation is given; the schema reads it as its OperationContext. */
export interface ContextSources {
  readonly app: App;
  readonly jobStreams: JobStreams;
  readonly predictionStreams: PredictionStreams;
}

/** The context of one operation of an authenticated, anonymous or wrongly authenticated caller. */
export function createOperationContext({ app, jobStreams, predictionStreams }: ContextSources, caller: Caller, requestId: string) {
  return { ...caller, requestId, jobStreams, predictionStreams, loaders: createLoaders(app, caller.viewer) };
}

export interface Caller {
  readonly viewer: Viewer | null;
  readonly authenticationFault?: UnauthenticatedError;
}

/** A token that is not valid makes an anonymous caller, who is told why by the first rule that refuses. */
export async function identifyCaller(app: App, authorization: unknown): Promise<Caller> {
  try {
    return { viewer: await viewerFromAuthorization(app.accessTokens, authorization) };
  } catch (error) {
    if (error instanceof UnauthenticatedError) return { viewer: null, authenticationFault: error };
    throw error;
  }
}

/** Batches, but remembers nothing: the context of a subscription outlives many changes. */
function createLoaders({ patients, models }: App, viewer: Viewer | null) {
  const options = { cache: false };
  return {
    patient: new DataLoader<string, Patient | null>((ids) => patients.findMany(viewer, ids), options),
    job: new DataLoader<string, ScoringJob | null>(async (ids) => {
      const wanted = ids.flatMap((id) => toObjectId(id) ?? []);
      const organization = new Types.ObjectId(viewer?.organizationId);
      const jobs = await models.scoringJobs.find({ _id: { $in: wanted }, organization }).lean<ScoringJob[]>();
      const byId = new Map(jobs.map((job) => [job._id.toHexString(), job]));
      return ids.map((id) => byId.get(id) ?? null);
    }, options),
  };
}
