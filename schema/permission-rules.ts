import { allow, deny, rule, shield } from 'graphql-shield';
import { isObjectType, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import { applyMiddleware, type IMiddlewareTypeMap } from 'graphql-middleware';
import { authorize, type Action } from '../src/auth/permissions.js';
import { ForbiddenError } from '../src/errors.js';
import type { OperationContext } from './common/context.js';

/**
 * An action that the viewer must be allowed; `with-parent`: whoever was let at the object may see the field; `public`:
 * anybody, for what takes its own proof of who is calling.
 */
type FieldRule = Action | 'with-parent' | 'public';

/** Every field of the API and who may see it. A field that is not here is refused. `*` stands for the rest of a type. */
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
    breakGlassAccesses: 'audit:read',
    users: 'user:manage',
    apiKeys: 'api-key:manage',
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
    createApiKey: 'api-key:manage',
    revokeApiKey: 'api-key:manage',
    createPatient: 'patient:write',
    updatePatient: 'patient:write',
    deletePatient: 'patient:delete',
    breakGlass: 'patient:break-glass',
    submitScoringJob: 'job:submit',
    submitBatchScoringJob: 'job:submit',
    cancelScoringJob: 'job:control',
    retryScoringJob: 'job:control',
  },
  Subscription: {
    scoringJobUpdated: 'job:read',
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
    predictions: 'prediction:read',
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
    id: 'with-parent',
    kind: 'with-parent',
    state: 'with-parent',
    progress: 'with-parent',
    attempts: 'with-parent',
    sequence: 'with-parent',
    priority: 'with-parent',
    submittedAt: 'with-parent',
    startedAt: 'with-parent',
    finishedAt: 'with-parent',
    submittedBy: 'with-parent',
    model: 'with-parent',
    error: 'with-parent',
  },
  User: { '*': 'user:manage' },
  ApiKey: { '*': 'api-key:manage' },
  ...withParent(
    'Viewer', 'Organization', 'PageInfo', 'SessionPayload', 'LogoutPayload',
    'UserConnection', 'UserEdge', 'ApiKeyConnection', 'ApiKeyEdge', 'CreateApiKeyPayload',
    'PatientConnection', 'PatientEdge', 'PatientFeature', 'DeletePatientPayload', 'BreakGlassAccess', 'BreakGlassAccessConnection', 'BreakGlassAccessEdge',
    'PredictionConnection', 'PredictionEdge', 'Prediction', 'FeatureValue', 'Explanation', 'Contribution', 'RiskSimulation',
    'ScoringJobConnection', 'ScoringJobEdge', 'ScoringJobEvent', 'JobProgress', 'JobError', 'PatientFailure',
    'RiskModel', 'ModelFeature', 'FeatureRange', 'FeatureCode', 'MissingValue', 'RiskBandDefinition', 'ModelMetric',
    'PredictionVerification', 'AuditEventConnection', 'AuditEventEdge', 'AuditEvent', 'AuditSubject',
    'TrainingSite', 'TrainingSummary', 'FeatureImportance',
  ),
};

function withParent(...types: string[]): Record<string, Record<string, FieldRule>> {
  return Object.fromEntries(types.map((type) => [type, { '*': 'with-parent' }]));
}

/** The rule of a field, or undefined: then it is refused. */
export function fieldRule(type: string, field: string): FieldRule | undefined {
  return fieldRules[type]?.[field] ?? fieldRules[type]?.['*'];
}

/** Rules depend on viewer and action alone, so shield may remember the answer within an operation. */
const actionRule = (action: Action) =>
  rule(`may do ${action}`, { cache: 'contextual' })((_parent, _args, { viewer, authenticationFault }: OperationContext) => {
    if (authenticationFault) return authenticationFault;
    try {
      authorize(viewer, action);
      return true;
    } catch (error) {
      return error as Error;
    }
  });

/**
 * Guards every field of the schema with graphql-shield.
 *
 * Two things are done around shield. It wraps every field of every object type, which more than halves the speed of
 * long lists: types whose fields are all `with-parent` are left unwrapped. And graphql-middleware wraps `subscribe`
 * only of fields without `resolve`, which type-graphql always sets: it is taken off while the rules are applied, so
 * that a subscription is refused before it begins instead of at its first event.
 */
export function guardSchema(schema: GraphQLSchema): GraphQLSchema {
  const guarded = Object.values(schema.getTypeMap()).filter(
    (type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith('__') && needsWrapping(type),
  );
  const rules = new Map<Action, ReturnType<typeof actionRule>>();
  const ruleOf = (field: FieldRule | undefined) => {
    if (field === undefined) return deny;
    if (field === 'with-parent' || field === 'public') return allow;
    const made = rules.get(field) ?? actionRule(field);
    rules.set(field, made);
    return made;
  };
  const tree = Object.fromEntries(
    guarded.map((type) => [type.name, Object.fromEntries(Object.keys(type.getFields()).map((field) => [field, ruleOf(fieldRule(type.name, field))]))]),
  );
  const middleware = shield(tree, { allowExternalErrors: true, fallbackRule: deny, fallbackError: noRule }).generate(schema) as IMiddlewareTypeMap;
  const ownTypes = Object.fromEntries(Object.entries(middleware).filter(([type]) => type in tree));

  const subscriptions = Object.values(schema.getSubscriptionType()?.getFields() ?? {});
  const resolvers = subscriptions.map((field) => field.resolve);
  subscriptions.forEach((field) => delete field.resolve);
  const result = applyMiddleware(schema, ownTypes);
  Object.values(result.getSubscriptionType()?.getFields() ?? {}).forEach((field, index) => (field.resolve = resolvers[index]));
  return result;
}

/** What shield says where no rule lets anybody in. */
const noRule = new ForbiddenError('Nobody may read this field: it has no permission rule.');

function needsWrapping(type: GraphQLObjectType): boolean {
  return Object.keys(type.getFields()).some((field) => fieldRule(type.name, field) !== 'with-parent');
}
