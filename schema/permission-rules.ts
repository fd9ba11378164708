import { allow, deny, rule, shield } from './shield.js';
import {
  isObjectType,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
} from 'graphql';
import { applyMiddleware, type IMiddlewareFieldMap } from 'graphql-middleware';
import type { Action } from '../src/auth/permissions.js';
import { ForbiddenError } from '../src/errors.js';
import { decide, tellAllowed, type AllowedActions } from './allowed-actions.js';
import type { OperationContext } from './common/context.js';

/**
 * The rule of a field.
 * - an action: the viewer must be allowed to do it
 * - `with-parent`: a viewer who may see the object may see the field
 * - `public`: every caller may, because the field checks the caller's credential itself
 */
type FieldRule = Action | 'with-parent' | 'public';

/**
 * Every field of the API, with its rule. A field that is not listed is refused. `*` stands for the other fields of a
 * type.
 */
export const fieldRules: Readonly<Record<string, Readonly<Record<string, FieldRule>>>> = {
  Query: {
    viewer: 'viewer:read',
    patient: 'patient:read',
    patients: 'patient:read',
    prediction: 'prediction:read',
    predictions: 'prediction:read',
    scoringJob: 'job:read',
    scoringJobs: 'job:read',
    riskModels: 'model:read',
    riskModel: 'model:read',
    simulateRisk: 'risk:simulate',
    verifyPrediction: 'prediction:verify',
    auditEvents: 'audit:read',
    auditChain: 'audit:read',
    encryptionStatus: 'encryption-key:rotate',
    systemStatus: 'system:read',
    breakGlassAccesses: 'audit:read',
    users: 'user:manage',
    sessions: 'user:manage',
    apiKeys: 'api-key:manage',
    webhookEndpoints: 'webhook:manage',
    webhookDeliveries: 'webhook:manage',
  },
  Mutation: {
    login: 'public',
    refresh: 'public',
    logout: 'public',
    changePassword: 'password:change',
    createUser: 'user:manage',
    updateUser: 'user:manage',
    setUserPassword: 'user:manage',
    revokeSessions: 'user:manage',
    revokeSession: 'session:end',
    createApiKey: 'api-key:manage',
    revokeApiKey: 'api-key:manage',
    rotateEncryptionKey: 'encryption-key:rotate',
    createWebhookEndpoint: 'webhook:manage',
    rotateWebhookSecret: 'webhook:manage',
    enableWebhookEndpoint: 'webhook:manage',
    deleteWebhookEndpoint: 'webhook:manage',
    replayWebhookDelivery: 'webhook:manage',
    createPatient: 'patient:write',
    updatePatient: 'patient:write',
    upsertPatients: 'patient:write',
    deletePatient: 'patient:delete',
    breakGlass: 'patient:break-glass',
    assignCareTeam: 'care-team:assign',
    submitScoringJob: 'job:submit',
    submitBatchScoringJob: 'job:submit',
    cancelScoringJob: 'job:control',
    retryScoringJob: 'job:control',
  },
  Subscription: {
    scoringJobUpdated: 'job:read',
    scoringJobsUpdated: 'job:read',
    predictionCreated: 'prediction:read',
  },
  Patient: {
    mrn: 'patient:read-identity',
    givenName: 'patient:read-identity',
    familyName: 'patient:read-identity',
    birthDate: 'patient:read-identity',
    careTeam: 'patient:read-identity',
    age: 'patient:read',
    sex: 'patient:read',
    features: 'patient:read',
    breakGlassExpiresAt: 'patient:read',
    predictions: 'prediction:read',
    latestPrediction: 'prediction:read',
    id: 'with-parent',
    version: 'with-parent',
    createdAt: 'with-parent',
    updatedAt: 'with-parent',
  },
  ScoringJob: {
    patient: 'prediction:read',
    prediction: 'prediction:read',
    predictions: 'prediction:read',
    failures: 'prediction:read',
    failureConnection: 'prediction:read',
    id: 'with-parent',
    kind: 'with-parent',
    state: 'with-parent',
    transitions: 'with-parent',
    progress: 'with-parent',
    attempts: 'with-parent',
    sequence: 'with-parent',
    priority: 'with-parent',
    submittedAt: 'with-parent',
    startedAt: 'with-parent',
    finishedAt: 'with-parent',
    submittedBy: 'with-parent',
    model: 'with-parent',
    modelId: 'with-parent',
    modelVersion: 'with-parent',
    error: 'with-parent',
  },
  PatientFailure: {
    patient: 'patient:read',
    patientId: 'with-parent',
    code: 'with-parent',
    message: 'with-parent',
  },
  User: { '*': 'user:manage' },
  ApiKey: { '*': 'api-key:manage' },
  WebhookEndpoint: { '*': 'webhook:manage' },
  WebhookDelivery: { '*': 'webhook:manage' },
  ...withParent(
    'Viewer',
    'Organization',
    'PageInfo',
    'SessionPayload',
    'LogoutPayload',
    'Session',
    'SessionConnection',
    'SessionEdge',
    'UserConnection',
    'UserEdge',
    'ApiKeyConnection',
    'ApiKeyEdge',
    'CreateApiKeyPayload',
    'WebhookEndpointConnection',
    'WebhookEndpointEdge',
    'WebhookSecretPayload',
    'DeleteWebhookEndpointPayload',
    'WebhookDeliveryConnection',
    'WebhookDeliveryEdge',
    'PatientConnection',
    'PatientEdge',
    'PatientFeature',
    'DeletePatientPayload',
    'AssignCareTeamPayload',
    'UpsertPatientResult',
    'UpsertPatientError',
    'InputIssue',
    'BreakGlassAccess',
    'BreakGlassAccessConnection',
    'BreakGlassAccessEdge',
    'PredictionConnection',
    'PredictionEdge',
    'Prediction',
    'FeatureValue',
    'Explanation',
    'Contribution',
    'ClassProbability',
    'RiskSimulation',
    'ScoringJobConnection',
    'ScoringJobEdge',
    'ScoringJobEvent',
    'JobProgress',
    'JobError',
    'JobTransition',
    'PatientFailureConnection',
    'PatientFailureEdge',
    'RiskModel',
    'ModelFeature',
    'FeatureRange',
    'FeatureCode',
    'MissingValue',
    'RiskBandDefinition',
    'ModelMetric',
    'Reliability',
    'ReliabilityGroup',
    'Quantity',
    'PredictionVerification',
    'AuditEventConnection',
    'AuditEventEdge',
    'AuditEvent',
    'AuditSubject',
    'AuditChainPart',
    'AuditChainFailure',
    'EncryptionStatus',
    'EncryptionKey',
    'KeyRotation',
    'SystemStatus',
    'QueueDepth',
    'TrainingSite',
    'TrainingSummary',
    'FeatureImportance',
  ),
};

function withParent(...types: string[]): Record<string, Record<string, FieldRule>> {
  return Object.fromEntries(types.map((type) => [type, { '*': 'with-parent' }]));
}

/** The rule of a field. Undefined when it has none: then the field is refused. */
export function fieldRule(type: string, field: string): FieldRule | undefined {
  return fieldRules[type]?.[field] ?? fieldRules[type]?.['*'];
}

/**
 * Makes a rule of shield for an action. It depends on viewer and action alone, so shield may keep its answer for the
 * whole operation.
 */
const actionRule = (action: Action, allowed: AllowedActions) =>
  rule(`may do ${action}`, { cache: 'contextual' })((_parent, _args, context: OperationContext) =>
    decide(context, action, allowed),
  );

/** A resolver that wraps another one, as graphql-middleware defines it. */
type Middleware = (
  resolve: GraphQLFieldResolver<unknown, unknown>,
  parent: unknown,
  args: object,
  context: OperationContext,
  info: GraphQLResolveInfo,
) => unknown;

/**
 * Asks shield once per operation for each action. Even with a kept answer, shield would make five promises for every
 * field of every row. An action that is not known to be allowed goes to shield again.
 */
function onceAllowed(shielded: Middleware, action: Action, allowed: AllowedActions): Middleware {
  return (resolve, parent, args, context, info) =>
    allowed.get(context)?.has(action)
      ? resolve(parent, args, context, info)
      : shielded(resolve, parent, args, context, info);
}

/**
 * Guards every field of the schema with graphql-shield.
 * 1. It makes a rule for every field of every type that has a field with an action or without a rule.
 * 2. Shield makes a middleware of each rule. `onceAllowed` wraps it, so that shield is asked once per operation for
 *    each action.
 * 3. Fields that need no check of their own are not wrapped. Wrapping them all more than halves the speed of long
 *    lists.
 * 4. The middlewares are applied. graphql-middleware wraps `subscribe` only for fields without `resolve`, and
 *    type-graphql always sets `resolve`. So `resolve` is removed meanwhile. A subscription is then refused before it
 *    begins, and not at its first event.
 */
export function guardSchema(schema: GraphQLSchema): GraphQLSchema {
  const guarded = Object.values(schema.getTypeMap()).filter(
    (type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith('__') && needsWrapping(type),
  );
  const allowed: AllowedActions = new WeakMap();
  const rules = new Map<Action, ReturnType<typeof actionRule>>();
  const ruleOf = (field: FieldRule | undefined) => {
    if (field === undefined) return deny;
    if (field === 'with-parent' || field === 'public') return allow;
    const made = rules.get(field) ?? actionRule(field, allowed);
    rules.set(field, made);
    return made;
  };
  const tree = Object.fromEntries(
    guarded.map((type) => [
      type.name,
      Object.fromEntries(Object.keys(type.getFields()).map((field) => [field, ruleOf(fieldRule(type.name, field))])),
    ]),
  );
  const middleware = shield(tree, { allowExternalErrors: true, fallbackRule: deny, fallbackError: noRule }).generate(
    schema,
  ) as Record<string, Record<string, Middleware>>;
  const ownTypes = Object.fromEntries(
    guarded.map(({ name }) => [name, wrappedFields(name, middleware[name]!, allowed)]),
  );

  const subscriptions = Object.values(schema.getSubscriptionType()?.getFields() ?? {});
  const resolvers = subscriptions.map((field) => field.resolve);
  subscriptions.forEach((field) => delete field.resolve);
  const result = applyMiddleware(schema, ownTypes);
  Object.values(result.getSubscriptionType()?.getFields() ?? {}).forEach(
    (field, index) => (field.resolve = resolvers[index]),
  );
  tellAllowed(
    guarded.map(({ name }) => result.getType(name) as GraphQLObjectType),
    allowed,
    (type, field) => {
      const needed = fieldRule(type, field);
      return needed === 'with-parent' || needed === 'public' ? 'none' : needed;
    },
  );
  return result;
}

/** The error of a field without a rule. */
const noRule = new ForbiddenError(
  'This field cannot be read: it has no permission rule. Report this to your operator.',
);

/** Selects the fields of a type that must be checked. A field without a rule is one of them: shield refuses it. */
function wrappedFields(
  type: string,
  shielded: Record<string, Middleware>,
  allowed: AllowedActions,
): IMiddlewareFieldMap {
  const wrapped = Object.entries(shielded).flatMap(([field, middleware]) => {
    const needed = fieldRule(type, field);
    if (needed === 'with-parent' || needed === 'public') return [];
    return [[field, needed === undefined ? middleware : onceAllowed(middleware, needed, allowed)] as const];
  });
  // The declared type wants promises, but graphql-middleware passes on any value that a middleware returns.
  return Object.fromEntries(wrapped) as IMiddlewareFieldMap;
}

function needsWrapping(type: GraphQLObjectType): boolean {
  return Object.keys(type.getFields()).some((field) => fieldRule(type.name, field) !== 'with-parent');
}
