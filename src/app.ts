import { hkdfSync } from 'node:crypto';
import { join } from 'node:path';
import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import { createModels, type Models } from '../models/index.js';
import { createEncryptionKeys, type EncryptionKeys } from './administration/encryption-keys.js';
import { createAuditService, type AuditService } from './audit/audit-service.js';
import { auditKeys, createAuditTrail, type AuditWriter } from './audit/audit-writer.js';
import { createAccessTokens, type AccessTokens } from './identity/access-token.js';
import { createIdentityServices, type IdentityServices } from './identity/identity-services.js';
import { startOrClose, type Closers } from './closers.js';
import type { Config } from './config/config.js';
import { requireSettings, type RequiredSettings } from './config/required-settings.js';
import { observeDatabase } from './storage/observe-database.js';
import { connectDatabase } from './storage/database.js';
import { createEventBus, eventChannel, type EventBus } from './events/event-bus.js';
import { createBatchResults, type ReadBatchResults } from './jobs/batch-results.js';
import { createCohortSubmission, type SubmitCohort } from './jobs/cohort-submission.js';
import { createBatchProgress, type BatchProgress } from './jobs/batch-progress.js';
import { createBatchSubmission, type SubmitBatch } from './jobs/batch-submission.js';
import { createPatientBatches } from './jobs/patient-batches.js';
import { createPatientErasure } from './jobs/erase-patient.js';
import { createJobDispatcher, type JobDispatcher } from './jobs/job-dispatcher.js';
import { createJobService, type JobService } from './jobs/job-service.js';
import { createCompletions } from './jobs/completions.js';
import { createJobStore, type JobStore } from './jobs/job-store.js';
import { createLatestConditions } from './patients/latest-conditions.js';
import { createLogWriter } from './storage/document-log.js';
import { createLatestResults, type LatestResults } from './predictions/latest-results.js';
import { migrateData } from './predictions/migrate-data.js';
import { createPredictionService, type PredictionService } from './predictions/prediction-service.js';
import type { QueueDepth } from './jobs/queue-depths.js';
import { createScoringQueue } from './jobs/scoring-queue.js';
import { createScoringRecords, type ScoringRecords } from './jobs/scoring-records.js';
import { createSubmittedJobs } from './jobs/submitted-jobs.js';
import { createBundleStore } from './model-store/bundle-store.js';
import { followModels, startModelRegistry, type ModelRegistry } from './model-store/model-registry.js';
import { createOrganizationScopes, type ScopeOf } from './scope/organization-scope.js';
import { packageRoot } from './process/package-root.js';
import { createBreakGlassService, type BreakGlassService } from './patients/break-glass.js';
import { createCareTeamService, type CareTeamService } from './patients/care-team-service.js';
import { createCareTeamFence } from './patients/care-team-fence.js';
import { createPrefixSearch, type PrefixSearch } from './patients/prefix-search.js';
import { createFeatureCatalogue, type FeatureCatalogue } from './patients/feature-catalogue.js';
import { createPatientUpsert, type UpsertPatients } from './patients/upsert-patients.js';
import { createPatientService, type PatientService } from './patients/patient-service.js';
import { createKeyRotations, type KeyRotations } from './protection/key-rotations.js';
import { startProtection } from './protection/start-protection.js';
import type { ProtectionOf } from './protection/protection.js';
import { connectRedis, whenReady, type ConnectionUse, type OutageBehaviour } from './storage/redis.js';
import { requireFitRedis } from './config/require-fit-redis.js';
import { createRepairs } from './storage/repairs.js';
import { loadRiskModels } from './risk/registry.js';
import type { Redis } from 'ioredis';
import { logError } from './process/logger.js';
import { createMetrics, type Metrics } from './process/metrics.js';
import { startAskedTracing } from './process/asked-tracing.js';
import type { Tracing } from './process/tracing.js';
import { createWebhookService, type WebhookService } from './webhooks/webhook-service.js';
import { startWebhookTargets } from './webhooks/webhook-targets.js';

/** Longest time that a submission waits for Redis, milliseconds. The job is accepted either way. */
const queueTimeoutMs = 1_000;

/** The parts of an API or a worker process, built once. Code that needs some of them names only those. */
export interface App {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly database: Connection;
  readonly models: Models;
  /** Gives a service that acts for a caller its access to the collections. */
  readonly scopeOf: ScopeOf;
  /** Decrypts what a worker needs without a caller: the secrets of webhooks. */
  readonly protectionOf: ProtectionOf;
  readonly registry: ModelRegistry;
  readonly catalogue: FeatureCatalogue;
  readonly events: EventBus;
  readonly accessTokens: AccessTokens;
  readonly audit: AuditWriter;
  readonly auditEvents: AuditService;
  readonly encryptionKeys: EncryptionKeys;
  readonly identity: IdentityServices;
  readonly patients: PatientService;
  readonly upsertPatients: UpsertPatients;
  readonly careTeams: CareTeamService;
  readonly breakGlass: BreakGlassService;
  readonly jobs: JobService;
  readonly submitBatch: SubmitBatch;
  readonly submitCohort: SubmitCohort;
  readonly readBatchResults: ReadBatchResults;
  readonly predictions: PredictionService;
  readonly webhooks: WebhookService;
  readonly jobStore: JobStore;
  readonly scoringRecords: ScoringRecords;
  readonly latestResults: LatestResults;
  readonly prefixSearch: PrefixSearch;
  readonly jobDispatcher: JobDispatcher;
  readonly batchProgress: BatchProgress;
  readonly keyRotations: KeyRotations;
  /** Opens another connection to Redis. The caller closes it. */
  connectRedis(behaviour: OutageBehaviour, use?: ConnectionUse): Redis;
  /** The connections to Redis that are not closed. */
  redisConnections(): Iterable<Redis>;
  /** Counts the entries that wait in the queues of the deployment. @throws when Redis cannot be reached */
  queueDepths(): Promise<QueueDepth[]>;
  /** Closes queue, identity, events, audit trail, MongoDB and the models, in that order. */
  close(): Promise<void>;
}

/** Returns the directory of the risk models that come with the package. */
export const shippedModelsDirectory = (): string => join(packageRoot(), 'risk-models');

/**
 * Creates the app, the composition root of API and worker. A failed start closes everything that it started.
 *
 * 1. Check that the required settings are there. Connect to MongoDB, and meanwhile check that Redis can do the work if it
 *    answers.
 * 2. Bring the data to the version of this release, load the encryption keys and the risk models.
 * 3. Start the audit trail, the event bus, identity and the scoring queue. The last three have their own connections to
 *    Redis.
 * 4. Create the services from these parts. They hold no connections.
 *
 * `App.close` closes the parts in the reverse order.
 * @throws StartupError naming the missing setting, what is wrong with Redis, or newer data; ServiceUnavailableError when
 *   MongoDB does not answer
 */
export async function createApp(config: Config, logger: Logger): Promise<App> {
  const settings = requireSettings(config);
  for (const check of config.waivedChecks) logger.warn({ check }, 'a check of the production start is waived');
  return startOrClose(
    (closers) => buildApp(config, settings, logger, closers),
    (error) => logError(logger, error, 'a part of the failed start did not close', { level: 'warn' }),
  );
}

/** Starts the parts one after the other, and adds a closer for each. */
async function buildApp(
  config: Config,
  { mongoUri, redisUrl, secretKey }: RequiredSettings,
  logger: Logger,
  closers: Closers,
): Promise<App> {
  const redisIsFit = requireFitRedis(config, redisUrl, logger);
  // It is awaited below, unless the start fails before.
  redisIsFit.catch(() => undefined);
  const database = await connectDatabase(mongoUri, { tls: config.mongoTls });
  closers.add(() => database.close());
  const metrics = createMetrics();
  const tracing = await startAskedTracing(config.tracing, String(logger.bindings().name));
  closers.add(() => tracing.close());
  observeDatabase(database, metrics);
  const models = createModels(database);
  const leaseMs = config.jobLeaseMs;
  // A start that is refused writes nothing.
  await redisIsFit;
  await migrateData({ database, models, leaseMs, logger });
  const protection = await startProtection({ models, masterKeys: config.masterKeys, logger });
  const { protectionOf } = protection;
  const registry = await startModelRegistry({
    directoryModels: await loadRiskModels(config.riskModelsDirectory ?? shippedModelsDirectory()),
    store: createBundleStore(models),
    retiredLoaded: config.riskModelsRetiredLoaded,
    pollMs: config.riskModelsPollSeconds * 1_000,
    logger,
  });
  closers.add(() => registry.close());
  const keyOf = auditKeys(protectionOf);
  const audit = createAuditTrail({ models, keyOf, logger });
  closers.add(() => audit.close());

  const redisConnections = new Set<Redis>();
  const connect = (behaviour: OutageBehaviour, use?: ConnectionUse): Redis => {
    const redis = connectRedis(redisUrl, behaviour, logger, config.redisTls, use);
    redisConnections.add(redis);
    redis.once('end', () => redisConnections.delete(redis));
    return redis;
  };
  // The part that gets the connection also closes it. This closer is for a start that fails before the part exists.
  const connectPart = (behaviour: OutageBehaviour): Redis => {
    const redis = connect(behaviour);
    closers.add(() => redis.disconnect());
    return redis;
  };
  const events = await createEventBus({
    publisher: connectPart('waiting'),
    subscriber: connectPart('waiting'),
    channel: eventChannel(config.redisPrefix),
    whenReady,
    onRoundTrip: (seconds) => metrics.redisRoundTrip.observe(seconds),
    logger,
  });
  closers.add(() => events.close());
  events.subscribe('dataKeysChanged', ({ organizationId }) => protection.keyring.renew(organizationId));
  events.onGap(() => protection.keyring.renew());
  closers.add(followModels(registry, events, logger));

  const scopeOf = createOrganizationScopes(models, protectionOf);
  const accessTokens = createAccessTokens(secretKey);
  const identity = createIdentityServices({
    models,
    scopeOf,
    accessTokens,
    audit,
    events,
    logger,
    redis: connectPart('failing-fast'),
    refreshKey: Buffer.from(hkdfSync('sha256', secretKey, '', 'riskgraph refresh tokens', 32)),
    settings: config,
  });
  closers.add(() => identity.close());
  const queue = createScoringQueue({
    connection: connectPart('failing-fast'),
    prefix: config.redisPrefix,
    retryDelayMs: config.jobRetryDelayMs,
    timeoutMs: queueTimeoutMs,
    logger,
  });
  closers.add(() => queue.close());

  const webhookTargets = await startWebhookTargets(models, events, logger);
  closers.add(() => webhookTargets.close());
  const { has: announces } = webhookTargets;
  // A job has one prediction for each patient.
  const predictionLog = createLogWriter(models.predictions, ({ job, patient }) => ({ job, patient }));
  const submittedJobs = createSubmittedJobs(events);
  closers.add(() => submittedJobs.close());
  const jobStore = createJobStore({
    models,
    events,
    attempts: config.jobAttempts,
    leaseMs,
    completions: createCompletions(models, predictionLog),
    announces,
    submittedJobs,
    metrics,
    tracing,
  });
  const jobDispatcher = createJobDispatcher(models, queue, metrics, tracing);
  const latestResults = createLatestResults(models);
  const scoringRecords = createScoringRecords(models, protectionOf, latestResults, predictionLog);
  const repairs = createRepairs({ models, leaseMs, logger });
  const prefixSearch = createPrefixSearch({ models, protectionOf, repairs, logger });
  const latestConditions = createLatestConditions({ models, registry, worklistModel: config.worklistModel });
  const batchProgress = createBatchProgress(models, jobStore);
  const catalogue = createFeatureCatalogue(registry);
  const fence = createCareTeamFence(scopeOf, audit);
  const largestChunk = config.batchChunkSize;
  const accept = createPatientBatches({ models, audit, jobStore, jobDispatcher, largestChunk });

  const upserts = createPatientUpsert({ scopeOf, audit, catalogue });
  const erase = createPatientErasure(models, jobStore);
  const patients = createPatientService({ scopeOf, audit, catalogue, erase, latestConditions });
  const jobs = createJobService({
    scopeOf,
    audit,
    fence,
    scoringRecords,
    registry,
    jobStore,
    jobDispatcher,
    submittedJobs,
    batchProgress,
  });

  return {
    config,
    logger,
    metrics,
    tracing,
    database,
    models,
    scopeOf,
    protectionOf,
    registry,
    catalogue,
    events,
    accessTokens,
    audit,
    auditEvents: createAuditService({ scopeOf, audit, models, keyOf }),
    encryptionKeys: createEncryptionKeys({ models, audit, masterKeyId: protection.store.masterKeyId }),
    identity,
    patients,
    upsertPatients: upserts.upsert,
    careTeams: createCareTeamService({ scopeOf, audit }),
    breakGlass: createBreakGlassService({
      scopeOf,
      audit,
      minutes: config.breakGlassMinutes,
      grantsPerHour: config.breakGlassPerHour,
      logger,
      metrics,
    }),
    jobs,
    submitBatch: createBatchSubmission({ scopeOf, registry, latestConditions, accept }),
    submitCohort: createCohortSubmission({
      scopeOf,
      audit,
      registry,
      upserts,
      accept,
      largestCohort: config.cohortLimits.patients,
    }),
    readBatchResults: createBatchResults({ scopeOf, fence, jobs, patients }),
    predictions: createPredictionService({
      scopeOf,
      fence,
      registry,
      catalogue,
      wasAllowed: (viewer, job) => submittedJobs.isOwn(viewer, job.toHexString()),
    }),
    webhooks: createWebhookService({ scopeOf, audit, events, allowedHosts: config.webhooks.allowedHosts }),
    jobStore,
    scoringRecords,
    latestResults,
    prefixSearch,
    jobDispatcher,
    batchProgress,
    keyRotations: createKeyRotations({ models, protection, events, leaseMs, logger }),
    connectRedis: connect,
    redisConnections: () => redisConnections,
    queueDepths: () => queue.depths(),
    close: () => closers.close(),
  };
}
