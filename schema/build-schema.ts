import 'reflect-metadata';
import type { GraphQLSchema } from 'graphql';
import { buildSchemaSync, type ClassType } from 'type-graphql';
import type { App } from '../src/app.js';
import { createSystemStatus } from '../src/monitoring/system-status.js';
import { EncryptionKeyResolver } from './administration/encryption-key.resolver.js';
import { SystemStatusResolver } from './administration/system-status.resolver.js';
import { AuditEventResolver } from './audit/audit-event.resolver.js';
import { BreakGlassResolver } from './patient/break-glass.resolver.js';
import { CareTeamResolver } from './patient/care-team.resolver.js';
import { ApiKeyResolver } from './api-key/api-key.resolver.js';
import { PatientResolver } from './patient/patient.resolver.js';
import { markUnchanging } from './unchanging-fields.js';
import { guardSchema } from './permission-rules.js';
import { ExplanationResolver } from './prediction/explanation.resolver.js';
import { createPatientMapper } from './patient/patient.mapper.js';
import { createPredictionMapper } from './prediction/prediction.mapper.js';
import { PredictionResolver } from './prediction/prediction.resolver.js';
import { SimulationResolver } from './prediction/simulation.resolver.js';
import { RiskModelResolver } from './risk-model/risk-model.resolver.js';
import { PatientFailureResolver } from './scoring-job/patient-failure.resolver.js';
import { ScoringJobResolver } from './scoring-job/scoring-job.resolver.js';
import { SessionResolver } from './session/session.resolver.js';
import { UpsertPatientsResolver } from './patient/upsert-patients.resolver.js';
import { UserResolver } from './user/user.resolver.js';
import { ViewerResolver } from './viewer/viewer.resolver.js';
import { WebhookResolver } from './webhook/webhook.resolver.js';

const resolverClasses = [
  ViewerResolver,
  PatientResolver,
  BreakGlassResolver,
  CareTeamResolver,
  UpsertPatientsResolver,
  RiskModelResolver,
  PredictionResolver,
  ExplanationResolver,
  SimulationResolver,
  ScoringJobResolver,
  PatientFailureResolver,
  SessionResolver,
  UserResolver,
  ApiKeyResolver,
  AuditEventResolver,
  EncryptionKeyResolver,
  SystemStatusResolver,
  WebhookResolver,
] as const;

/** The services that the resolvers need. */
export type SchemaDependencies = Pick<
  App,
  | 'scopeOf'
  | 'patients'
  | 'upsertPatients'
  | 'breakGlass'
  | 'careTeams'
  | 'jobs'
  | 'submitBatch'
  | 'predictions'
  | 'registry'
  | 'catalogue'
  | 'identity'
  | 'auditEvents'
  | 'encryptionKeys'
  | 'config'
  | 'models'
  | 'queueDepths'
  | 'webhooks'
>;

/** Builds the API, with every field guarded by its permission rule. */
export function buildGuardedSchema(dependencies: SchemaDependencies): GraphQLSchema {
  return guardSchema(markUnchanging(buildBareSchema(dependencies)));
}

/** Builds the API without permission rules. It is for printing only, and must never be served. */
export function buildBareSchema(dependencies: SchemaDependencies): GraphQLSchema {
  const { scopeOf, patients, breakGlass, careTeams, jobs, submitBatch, predictions, registry, catalogue } =
    dependencies;
  const { identity, auditEvents, webhooks } = dependencies;
  const toPrediction = createPredictionMapper(registry);
  const toPatient = createPatientMapper(catalogue);
  const instances = new Map<unknown, unknown>([
    [ViewerResolver, new ViewerResolver(scopeOf, identity.userSessions)],
    [PatientResolver, new PatientResolver(patients, predictions, toPatient, toPrediction)],
    [RiskModelResolver, new RiskModelResolver(registry, dependencies.config)],
    [PredictionResolver, new PredictionResolver(predictions, registry, toPatient, toPrediction)],
    [ExplanationResolver, new ExplanationResolver()],
    [SimulationResolver, new SimulationResolver(predictions)],
    [BreakGlassResolver, new BreakGlassResolver(breakGlass)],
    [UpsertPatientsResolver, new UpsertPatientsResolver(dependencies.upsertPatients, toPatient)],
    [CareTeamResolver, new CareTeamResolver(careTeams)],
    [AuditEventResolver, new AuditEventResolver(auditEvents)],
    [EncryptionKeyResolver, new EncryptionKeyResolver(dependencies.encryptionKeys)],
    [SystemStatusResolver, new SystemStatusResolver(createSystemStatus(dependencies))],
    [ScoringJobResolver, new ScoringJobResolver(jobs, submitBatch, predictions, registry, toPatient, toPrediction)],
    [PatientFailureResolver, new PatientFailureResolver(toPatient)],
    [SessionResolver, new SessionResolver(identity.sessions, identity.userSessions, identity.users)],
    [UserResolver, new UserResolver(identity.users)],
    [ApiKeyResolver, new ApiKeyResolver(identity.apiKeys)],
    [WebhookResolver, new WebhookResolver(webhooks)],
  ]);
  const schema = buildSchemaSync({
    resolvers: [...resolverClasses] as [ClassType, ...ClassType[]],
    container: { get: (resolver) => instances.get(resolver) },
    // The services validate input, because they have other callers besides GraphQL.
    validate: false,
    // Never used, but type-graphql requires it: each subscription has a source of its own.
    pubSub: {
      publish: () => undefined,
      subscribe: () => {
        throw new Error('subscriptions bring their own source');
      },
    },
  });
  return describe(schema);
}

/** Specifications of our scalars. https://scalars.graphql.org */
const specifications = {
  DateTime: 'https://scalars.graphql.org/andimarek/date-time',
  LocalDate: 'https://scalars.graphql.org/andimarek/local-date',
} as const;

/** Adds the descriptions for which type-graphql has no option. */
function describe(schema: GraphQLSchema): GraphQLSchema {
  for (const [name, specifiedByURL] of Object.entries(specifications))
    Object.assign(schema.getType(name)!, { specifiedByURL });
  Object.assign(schema.getQueryType()!, { description: 'What a caller can read. Each field says who may read it.' });
  Object.assign(schema.getMutationType()!, {
    description: 'What a caller can change. The fields of one operation are done one after the other.',
  });
  Object.assign(schema.getSubscriptionType()!, {
    description: 'What a caller can follow, over the WebSocket at the same address.',
  });
  return schema;
}
