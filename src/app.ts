import { join } from 'node:path';
import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import { createModels, ensureIndexes, type Models } from '../models/index.js';
import { createAuditService, type AuditService } from './audit/audit-service.js';
import { auditKeys, createAuditTrail, type AuditWriter } from './audit/audit-writer.js';
import { createAccessTokens, type AccessTokens } from './identity/access-token.js';
import { createIdentityServices, type IdentityServices } from './identity/identity-services.js';
import type { Config } from './config/config.js';
import { connectDatabase } from './storage/database.js';
import { StartupError } from './errors.js';
import { createEventBus, type EventBus } from './events/event-bus.js';
import { createBatchProgress, type BatchProgress } from './jobs/batch-progress.js';
import { createBatchSubmission, type SubmitBatch } from './jobs/batch-submission.js';
import { createPatientErasure } from './jobs/erase-patient.js';
import { createJobDispatcher, type JobDispatcher } from './jobs/job-dispatcher.js';
import { createJobService, type JobService } from './jobs/job-service.js';
import { createJobStore, type JobStore } from './jobs/job-store.js';
import { createPredictionService, type PredictionService } from './predictions/prediction-service.js';
import { createScoringQueue } from './jobs/scoring-queue.js';
import { createScoringRecords, type ScoringRecords } from './jobs/scoring-records.js';
import { createOrganizationScopes, type ScopeOf } from './scope/organization-scope.js';
import { packageRoot } from './process/package-root.js';
import { createBreakGlassService, type BreakGlassService } from './patients/break-glass.js';
import { createCareTeamFence } from './patients/care-team-fence.js';
import { createFeatureCatalogue, type FeatureCatalogue } from './patients/feature-catalogue.js';
import { createPatientService, type PatientService } from './patients/patient-service.js';
import { createKeyRotations, type KeyRotations } from './protection/key-rotations.js';
import { startProtection } from './protection/start-protection.js';
import { connectRedis, type ConnectionUse, type OutageBehaviour } from './storage/redis.js';
import { loadRiskModels } from './risk/registry.js';
import type { RiskModelRegistry } from './risk/risk-model.js';
import type { Redis } from 'ioredis';

/** What a caller may wait for Redis at submission, milliseconds. The job is accepted either way. */
const queueTimeoutMs = 1_000;

/** Everything that an API or a worker process is made of, built once. */
export interface App {
  readonly config: Config;
  readonly logger: Logger;
  readonly connection: Connection;
  readonly models: Models;
  /** What services that act for a caller read and write through. */
  readonly scopeOf: ScopeOf;
  readonly registry: RiskModelRegistry;
  readonly catalogue: FeatureCatalogue;
  readonly events: EventBus;
  readonly accessTokens: AccessTokens;
  readonly audit: AuditWriter;
  readonly auditEvents: AuditService;
  readonly identity: IdentityServices;
  readonly patients: PatientService;
  readonly breakGlass: BreakGlassService;
  readonly jobs: JobService;
  readonly submitBatch: SubmitBatch;
  readonly predictions: PredictionService;
  readonly jobStore: JobStore;
  readonly scoringRecords: ScoringRecords;
  readonly dispatcher: JobDispatcher;
  readonly batchProgress: BatchProgress;
  readonly keyRotations: KeyRotations;
  /** Opens another connection to Redis, to be closed by whoever asked. */
  connectRedis(behaviour: OutageBehaviour, use?: ConnectionUse): Redis;
  /** Closes queue, identity, events, MongoDB and the models, in that order. */
  close(): Promise<void>;
}

/** The directory of the risk models that come with the package. */
export const shippedModelsDirectory = (): string => join(packageRoot(), 'risk-models');

/**
 * The composition root that API and worker share.
 * @throws StartupError naming what is missing; ServiceUnavailableError when MongoDB does not answer
 */
export async function createApp(config: Config, logger: Logger): Promise<App> {
  const { mongoUri, redisUrl, secretKey } = config;
  if (!mongoUri)
    throw new StartupError('MONGO_URI is not set: name your MongoDB, or run "riskgraph up", which brings one.');
  if (!redisUrl)
    throw new StartupError('REDIS_URL is not set: name your Redis, or run "riskgraph up", which brings one.');
  if (!secretKey)
    throw new StartupError(
      'SECRET_KEY is not set: set it to a random one, e.g. the output of "openssl rand -base64 48".',
    );
  for (const check of config.waivedChecks) logger.warn({ check }, 'a check of the production start is waived');

  const registry = await loadRiskModels(config.riskModelsDirectory ?? shippedModelsDirectory());
  const connection = await connectDatabase(mongoUri, { tls: config.mongoTls });
  const models = createModels(connection);
  await ensureIndexes(models);
  const protection = await startProtection(models, config.masterKeys, logger).catch(async (error: unknown) => {
    await connection.close();
    await registry.close();
    throw error;
  });

  const connect = (behaviour: OutageBehaviour, use?: ConnectionUse): Redis =>
    connectRedis(redisUrl, behaviour, logger, config.redisTls, use);
  const events = await createEventBus(
    { publisher: connect('waiting'), subscriber: connect('waiting') },
    `${config.redisPrefix}:events`,
    logger,
  );
  const queue = createScoringQueue(
    connect('failing-fast'),
    { prefix: config.redisPrefix, retryDelayMs: config.jobRetryDelayMs, timeoutMs: queueTimeoutMs },
    logger,
  );
  const jobStore = createJobStore(models, events, { attempts: config.jobAttempts, leaseMs: config.jobLeaseMs });
  const dispatcher = createJobDispatcher(models, queue);
  const scoringRecords = createScoringRecords(models, protection.protectionOf);
  const batchProgress = createBatchProgress(models, jobStore);
  const catalogue = createFeatureCatalogue(registry);
  const scopeOf = createOrganizationScopes(models, protection.protectionOf);
  events.subscribe('dataKeysChanged', ({ organizationId }) => protection.keyring.renew(organizationId));
  events.onGap(() => protection.keyring.renew());
  const audit = createAuditTrail(models, auditKeys(protection.protectionOf), logger);
  const fence = createCareTeamFence(scopeOf, audit);
  const accessTokens = createAccessTokens(secretKey);
  const identity = await createIdentityServices({
    models,
    scopeOf,
    accessTokens,
    audit,
    events,
    logger,
    redis: connect('failing-fast'),
    settings: config,
  });

  return {
    config,
    logger,
    connection,
    models,
    scopeOf,
    registry,
    catalogue,
    events,
    accessTokens,
    audit,
    auditEvents: createAuditService(scopeOf, audit),
    identity,
    patients: createPatientService(scopeOf, audit, catalogue, createPatientErasure(models, jobStore)),
    breakGlass: createBreakGlassService(scopeOf, audit, config.breakGlassMinutes),
    jobs: createJobService(scopeOf, audit, fence, scoringRecords, registry, jobStore, dispatcher, batchProgress),
    submitBatch: createBatchSubmission(models, scopeOf, audit, registry, jobStore, dispatcher, config.batchChunkSize),
    predictions: createPredictionService(scopeOf, fence, registry, catalogue),
    jobStore,
    scoringRecords,
    dispatcher,
    batchProgress,
    keyRotations: createKeyRotations({ models, protection, events, leaseMs: config.jobLeaseMs, logger }),
    connectRedis: connect,
    async close() {
      await queue.close();
      await identity.close();
      await events.close();
      await audit.close();
      await connection.close();
      await registry.close();
    },
  };
}
