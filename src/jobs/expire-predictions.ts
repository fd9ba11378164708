import { Types } from 'mongoose';
import {
  latestResultField,
  type Models,
  type Prediction,
  type PredictionBlock,
  type ScoringJob,
} from '../../models/index.js';
import type { AuditActor, AuditTrail } from '../audit/audit-trail.js';
import { expireFromLog } from '../storage/document-log.js';

const dayMs = 86_400_000;
const jobsPerRound = 200;

interface ExpiryDependencies {
  readonly models: Models;
  readonly audit: AuditTrail;
  /** The actor that the trail of an organization names. */
  readonly actorOf: (organizationId: string) => AuditActor;
}

/**
 * Removes the predictions of jobs that ended long ago, everywhere: the results that were copied to the patients go
 * first, then the predictions, then the jobs. So a run that was broken off is repeated. A job whose retention time is
 * not over can be retried, so `expireJobs` must have reduced it before.
 * @returns the number of jobs that were removed
 */
export async function expirePredictions(
  { models, audit, actorOf }: ExpiryDependencies,
  retentionDays: number,
  now = new Date(),
): Promise<number> {
  const { scoringJobs, predictions, predictionBlocks } = models;
  const over = {
    'status.finishedAt': { $lt: new Date(now.getTime() - retentionDays * dayMs) },
    compactedAt: { $exists: true },
  };
  for (let expired = 0; ;) {
    const jobs = await scoringJobs
      .find(over, { organization: 1 })
      .limit(jobsPerRound)
      .lean<Pick<ScoringJob, '_id' | 'organization'>[]>();
    const byOrganization = new Map<string, Types.ObjectId[]>();
    for (const { _id, organization } of jobs) {
      const key = organization.toHexString();
      byOrganization.set(key, [...(byOrganization.get(key) ?? []), _id]);
    }
    for (const [organizationId, ids] of byOrganization) {
      await audit.record(actorOf(organizationId), { action: 'prediction:expire', outcome: 'ALLOWED' });
      const ofJobs = { job: { $in: ids } };
      await forgetSingles(models, ofJobs);
      await forgetBlocks(models, ofJobs);
      const organization = new Types.ObjectId(organizationId);
      await expireFromLog(predictions, organization, ids);
      await expireFromLog(predictionBlocks, organization, ids);
      await scoringJobs.deleteMany({ _id: { $in: ids }, ...over });
    }
    expired += jobs.length;
    if (jobs.length < jobsPerRound) return expired;
  }
}

type OfJobs = Readonly<Record<'job', { readonly $in: Types.ObjectId[] }>>;

/** Removes the latest results that were copied from predictions of single jobs. */
async function forgetSingles({ predictions, patients }: Models, ofJobs: OfJobs): Promise<void> {
  const found = await predictions
    .find(ofJobs, { patient: 1, modelId: 1 })
    .lean<Pick<Prediction, '_id' | 'patient' | 'modelId'>[]>();
  const updates = found.map(({ _id, patient, modelId }) => {
    const field = latestResultField(modelId);
    return { updateOne: { filter: { _id: patient, [`${field}.source`]: _id }, update: { $unset: { [field]: 1 } } } };
  });
  if (updates.length > 0) await patients.collection.bulkWrite(updates as never[], { ordered: false });
}

/** Removes the latest results that were copied from blocks, one block after the other. */
async function forgetBlocks({ predictionBlocks, patients }: Models, ofJobs: OfJobs): Promise<void> {
  const blocks = predictionBlocks.collection.find<Pick<PredictionBlock, '_id' | 'modelId' | 'rows'>>(ofJobs as never, {
    projection: { modelId: 1, 'rows.patient': 1 },
    batchSize: 10,
  });
  for await (const { _id, modelId, rows } of blocks) {
    const field = latestResultField(modelId);
    await patients.collection.updateMany(
      { _id: { $in: rows.map(({ patient }) => patient) }, [`${field}.source`]: _id } as never,
      { $unset: { [field]: 1 } },
    );
  }
}
