import { Types } from 'mongoose';
import { buildBareSchema, buildGuardedSchema } from '../../schema/build-schema.js';
import type { ApiParts } from '../../src/api.js';
import type { App } from '../../src/app.js';
import type { AuditTrail } from '../../src/audit/audit-trail.js';
import type { Identity } from '../../src/auth/viewer.js';
import { everyProtection } from '../../src/http/protections.js';
import { startHttpServer, type HttpServer } from '../../src/http/server.js';
import { createJobStreams } from '../../src/jobs/job-stream.js';
import { createPredictionStreams } from '../../src/predictions/prediction-stream.js';
import { createOrganizationScopes, type ScopeOf } from '../../src/scope/organization-scope.js';
import { createPatientService } from '../../src/patients/patient-service.js';
import { createPatientUpsert } from '../../src/patients/upsert-patients.js';
import type { ProtectionOf } from '../../src/protection/protection.js';

/** The protections that can be left out. Add each new protection here too, or the comparison does not measure it. */
export const protectionNames = [
  'audit',
  'encryption',
  'identity',
  'permission-rules',
  'care-team',
  'query-limits',
  'rate-limits',
  'headers',
  'socket-limits',
] as const;
export type ProtectionName = (typeof protectionNames)[number];

const noAudit: AuditTrail = {
  record: async () => undefined,
  recordSubmission: async () => ({ value: undefined }),
};

/**
 * Starts the API of an app without some of its protections. Only a benchmark can do so.
 * @param caller the identity of every request when `identity` is off
 */
export async function startWithout(app: App, off: ReadonlySet<ProtectionName>, caller: Identity): Promise<HttpServer> {
  const audit: AuditTrail = off.has('audit') ? noAudit : app.audit;
  const unfenced = off.has('encryption') ? createOrganizationScopes(app.models, unprotected) : app.scopeOf;
  const scopeOf: ScopeOf = off.has('care-team') ? ({ organizationId }) => unfenced({ organizationId }) : unfenced;
  const bare: ApiParts = {
    config: app.config,
    logger: app.logger,
    database: app.database,
    models: app.models,
    registry: app.registry,
    catalogue: app.catalogue,
    events: app.events,
    auditEvents: app.auditEvents,
    encryptionKeys: app.encryptionKeys,
    breakGlass: app.breakGlass,
    careTeams: app.careTeams,
    jobs: app.jobs,
    submitBatch: app.submitBatch,
    submitCohort: app.submitCohort,
    readBatchResults: app.readBatchResults,
    predictions: app.predictions,
    webhooks: app.webhooks,
    connectRedis: app.connectRedis,
    audit: { ...audit, close: () => app.audit.close(), backlog: () => app.audit.backlog() },
    metrics: app.metrics,
    tracing: app.tracing,
    redisConnections: app.redisConnections,
    queueDepths: app.queueDepths,
    scopeOf,
    upsertPatients: createPatientUpsert({ scopeOf, audit, catalogue: app.catalogue }).upsert,
    patients: createPatientService({
      scopeOf,
      audit,
      catalogue: app.catalogue,
      erase: async () => undefined,
      latestConditions: async () => ({ condition: {} }),
    }),
    identity: off.has('identity')
      ? { ...app.identity, authenticator: { authenticate: async () => caller } }
      : app.identity,
  };
  await app.identity.start();
  const schema = off.has('permission-rules') ? buildBareSchema(bare) : buildGuardedSchema(bare);
  return startHttpServer({
    schema,
    app: bare,
    jobStreams: createJobStreams(bare),
    predictionStreams: createPredictionStreams(bare),
    protections: {
      ...everyProtection,
      queryLimits: !off.has('query-limits'),
      rateLimits: !off.has('rate-limits'),
      headers: !off.has('headers'),
      socketLimits: !off.has('socket-limits'),
    },
  });
}

const dataKey = new Types.ObjectId();

/** Stores every field in plain text. */
export const unprotected: ProtectionOf = () => ({
  writer: async () => ({
    dataKey,
    seal: (_document, _field, text) => text as never,
    blindIndex: (_field, value) => value,
    derivedKey: () => Buffer.alloc(32),
  }),
  reader: async () => (_document, _field, text) => text as unknown as string,
  keyOf: () => undefined,
  protect: async () => Promise.reject(new Error('not measured')),
  reveal: async () => Promise.reject(new Error('not measured')),
});
