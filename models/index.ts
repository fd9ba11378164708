import { buildSchema, type ReturnModelType } from '@typegoose/typegoose';
import type { AnyParamConstructor } from '@typegoose/typegoose/lib/types.js';
import type { Connection, Model } from 'mongoose';
import { AuditEvent, AuditHead } from './audit-event.js';
import { Backup } from './backup.js';
import { StoredBreakGlassAccess } from './break-glass-access.js';
import { StoredDataKey } from './data-key.js';
import { KeyRotation } from './key-rotation.js';
import { ApiKey } from './api-key.js';
import { Organization } from './organization.js';
import { StoredPatient } from './patient.js';
import { Prediction } from './prediction.js';
import { PredictionBlock } from './prediction-block.js';
import { StoredModelChunk, StoredModelVersion } from './risk-model-version.js';
import { Repair } from './repair.js';
import { Revocation, RevocationEpoch } from './revocation.js';
import { ScoringChunk } from './scoring-chunk.js';
import { ScoringJob } from './scoring-job.js';
import { Session } from './session.js';
import { User } from './user.js';
import { WebhookDelivery } from './webhook-delivery.js';
import { WebhookEndpoint } from './webhook-endpoint.js';
import { WorkerHeartbeat } from './worker-heartbeat.js';

export * from './audit-event.js';
export * from './backup.js';
export * from './break-glass-access.js';
export * from './data-key.js';
export * from './key-rotation.js';
export * from './model-output.js';
export * from './api-key.js';
export * from './organization.js';
export * from './patient.js';
export * from './prediction.js';
export * from './prediction-block.js';
export * from './repair.js';
export * from './revocation.js';
export * from './risk-model-version.js';
export * from './scoring-chunk.js';
export * from './scoring-job.js';
export * from './session.js';
export * from './user.js';
export * from './webhook-delivery.js';
export * from './webhook-endpoint.js';
export * from './worker-heartbeat.js';

/** The collections of one database. */
export interface Models {
  readonly organizations: ReturnModelType<typeof Organization>;
  readonly users: ReturnModelType<typeof User>;
  readonly sessions: ReturnModelType<typeof Session>;
  readonly apiKeys: ReturnModelType<typeof ApiKey>;
  readonly revocations: ReturnModelType<typeof Revocation>;
  readonly revocationEpochs: ReturnModelType<typeof RevocationEpoch>;
  readonly patients: ReturnModelType<typeof StoredPatient>;
  readonly scoringJobs: ReturnModelType<typeof ScoringJob>;
  readonly scoringChunks: ReturnModelType<typeof ScoringChunk>;
  readonly predictions: ReturnModelType<typeof Prediction>;
  readonly predictionBlocks: ReturnModelType<typeof PredictionBlock>;
  readonly breakGlassAccesses: ReturnModelType<typeof StoredBreakGlassAccess>;
  readonly auditEvents: ReturnModelType<typeof AuditEvent>;
  readonly auditHeads: ReturnModelType<typeof AuditHead>;
  readonly dataKeys: ReturnModelType<typeof StoredDataKey>;
  readonly keyRotations: ReturnModelType<typeof KeyRotation>;
  readonly repairs: ReturnModelType<typeof Repair>;
  readonly modelVersions: ReturnModelType<typeof StoredModelVersion>;
  readonly modelChunks: ReturnModelType<typeof StoredModelChunk>;
  readonly webhookEndpoints: ReturnModelType<typeof WebhookEndpoint>;
  readonly webhookDeliveries: ReturnModelType<typeof WebhookDelivery>;
  readonly workerHeartbeats: ReturnModelType<typeof WorkerHeartbeat>;
  readonly backups: ReturnModelType<typeof Backup>;
}

/** Binds the document classes to one connection. A process may have several connections at the same time. */
export function createModels(connection: Connection): Models {
  const bind = <T extends AnyParamConstructor<unknown>>(documentClass: T): ReturnModelType<T> =>
    // Typegoose's own getModelForClass keeps a global list by name. A second connection would collide with it.
    connection.model(documentClass.name, buildSchema(documentClass)) as unknown as ReturnModelType<T>;
  return {
    organizations: bind(Organization),
    users: bind(User),
    sessions: bind(Session),
    apiKeys: bind(ApiKey),
    revocations: bind(Revocation),
    revocationEpochs: bind(RevocationEpoch),
    patients: bind(StoredPatient),
    scoringJobs: bind(ScoringJob),
    scoringChunks: bind(ScoringChunk),
    predictions: bind(Prediction),
    predictionBlocks: bind(PredictionBlock),
    breakGlassAccesses: bind(StoredBreakGlassAccess),
    auditEvents: bind(AuditEvent),
    auditHeads: bind(AuditHead),
    dataKeys: bind(StoredDataKey),
    keyRotations: bind(KeyRotation),
    repairs: bind(Repair),
    modelVersions: bind(StoredModelVersion),
    modelChunks: bind(StoredModelChunk),
    webhookEndpoints: bind(WebhookEndpoint),
    webhookDeliveries: bind(WebhookDelivery),
    workerHeartbeats: bind(WorkerHeartbeat),
    backups: bind(Backup),
  };
}

/** The code of MongoDB for an index whose name another one has. https://www.mongodb.com/docs/manual/reference/error-codes/ */
const indexKeySpecsConflict = 86;
/** The code of MongoDB for an index that is not there. */
const indexNotFound = 27;

/**
 * Creates the indexes that the guarantees rest on, above all the unique ones. It is safe to run at every start. An index
 * that another release made under the same name, with other options, is replaced.
 */
export async function ensureIndexes(models: Models): Promise<void> {
  // One command per collection: MongoDB makes its indexes together, in a fraction of the time of one after the other.
  await Promise.all(
    (Object.values(models) as Model<unknown>[]).map(async (model) => {
      const indexes = (model.schema.indexes() as [object, object][]).map(([key, options]) => ({ ...options, key }));
      if (indexes.length === 0) return;
      try {
        await model.collection.createIndexes(indexes as never);
      } catch (error) {
        if ((error as { code?: unknown }).code !== indexKeySpecsConflict) throw error;
        await replaceIndexes(model);
      }
    }),
  );
}

/** Drops the indexes of a collection that a declared one cannot replace, and creates the declared ones. */
async function replaceIndexes(model: Model<unknown>): Promise<void> {
  for (const [keys, options] of model.schema.indexes()) {
    const create = () => model.collection.createIndex(keys as never, options as never);
    try {
      await create();
    } catch (error) {
      if ((error as { code?: unknown }).code !== indexKeySpecsConflict) throw error;
      const name = Object.entries(keys).flat().join('_');
      // Another process that starts at the same time may have dropped it.
      await model.collection.dropIndex(name).catch((missing: { readonly code?: unknown }) => {
        if (missing.code !== indexNotFound) throw missing;
      });
      await create();
    }
  }
}
