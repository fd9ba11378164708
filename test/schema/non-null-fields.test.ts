import { getNamedType, isNonNullType, isObjectType } from 'graphql';
import { expect, test } from 'vitest';
import { buildBareSchema, type SchemaDependencies } from '../../schema/build-schema.js';
import { fieldRule } from '../../schema/permission-rules.js';

// These tests call no resolver, so that they need no database.
const nothing = new Proxy({}, { get: () => ({}) }) as SchemaDependencies;
const objectTypes = Object.values(buildBareSchema(nothing).getTypeMap()).filter(
  (type) => isObjectType(type) && !type.name.startsWith('__'),
);
const roots = ['Query', 'Mutation', 'Subscription'];

/**
 * Every non-null field that gives an object, with the reason why no permission, retention rule, other team or deletion
 * takes the object away from a caller who has its parent. A field that can be taken away is nullable: GraphQL would
 * remove its whole page with it.
 */
const partOfItsParent = 'is stored or computed together with its parent';
const ownRows = 'holds the rows of this page alone: rows that a caller may not see were left out before';
const reasons: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'Prediction.classes',
      'Prediction.inputs',
      'Explanation.contributions',
      'Contribution.feature',
      'RiskSimulation.model',
      'RiskSimulation.classes',
      'RiskSimulation.inputs',
      'RiskSimulation.explanation',
      'ScoringJob.progress',
      'ScoringJob.transitions',
      'ScoringJobEvent.job',
      'RiskModel.features',
      'RiskModel.globalImportance',
      'RiskModel.metrics',
      'RiskModel.riskBands',
      'RiskModel.training',
      'ModelFeature.missing',
      'FeatureImportance.feature',
      'TrainingSummary.sites',
      'Reliability.groups',
      'AuditChainPart.failures',
      'EncryptionStatus.keys',
      'CreateApiKeyPayload.apiKey',
      'UpsertPatientError.fields',
      'WebhookSecretPayload.endpoint',
      'SessionPayload.viewer',
    ].map((field) => [field, partOfItsParent]),
  ),
  ...Object.fromEntries(
    [
      'ApiKey',
      'AuditEvent',
      'BreakGlassAccess',
      'Patient',
      'PatientFailure',
      'Prediction',
      'ScoringJob',
      'Session',
      'User',
      'WebhookDelivery',
      'WebhookEndpoint',
    ].flatMap((name) => [
      [`${name}Connection.edges`, ownRows],
      [`${name}Connection.pageInfo`, ownRows],
      [`${name}Edge.node`, ownRows],
    ]),
  ),
  'Viewer.sessions': 'the sessions of the caller alone, of whom the credential tells',
  'Viewer.organization': 'an organization is never deleted, and the credential belongs to it',
};

/** Non-null fields of the root types. The contract demands the first group; the others follow it. */
const contract = 'the contract demands it: ask for it in an operation of its own';
const oneStream = 'a stream of its own: its error is the whole answer';
const oneAction = 'one action: its error is the whole answer, as for the mutations of the contract';
const rootReasons: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'Query.viewer',
      'Query.patients',
      'Query.predictions',
      'Query.scoringJobs',
      'Query.riskModels',
      'Query.simulateRisk',
      'Mutation.createPatient',
      'Mutation.updatePatient',
      'Mutation.deletePatient',
      'Mutation.submitScoringJob',
      'Mutation.submitBatchScoringJob',
      'Mutation.cancelScoringJob',
      'Mutation.retryScoringJob',
      'Subscription.scoringJobUpdated',
      'Subscription.predictionCreated',
    ].map((field) => [field, contract]),
  ),
  'Subscription.scoringJobsUpdated': oneStream,
  ...Object.fromEntries(
    [
      'assignCareTeam',
      'breakGlass',
      'changePassword',
      'createApiKey',
      'createUser',
      'createWebhookEndpoint',
      'deleteWebhookEndpoint',
      'enableWebhookEndpoint',
      'login',
      'logout',
      'refresh',
      'replayWebhookDelivery',
      'revokeApiKey',
      'revokeSession',
      'revokeSessions',
      'rotateEncryptionKey',
      'rotateWebhookSecret',
      'setUserPassword',
      'updateUser',
      'upsertPatients',
    ].map((field) => [`Mutation.${field}`, oneAction]),
  ),
};

const nonNull = objectTypes.flatMap((type) =>
  isObjectType(type)
    ? Object.values(type.getFields())
        .filter((field) => isNonNullType(field.type))
        .map((field) => ({ type: type.name, name: `${type.name}.${field.name}`, field }))
    : [],
);

test('each non-null field that gives an object has a reason', () => {
  const found = nonNull.filter(({ type, field }) => !roots.includes(type) && isObjectType(getNamedType(field.type)));
  expect(found.map(({ name }) => name).sort()).toEqual(Object.keys(reasons).sort());
});

test('each non-null field of a root type has a reason', () => {
  const found = nonNull.filter(({ type }) => roots.includes(type));
  expect(found.map(({ name }) => name).sort()).toEqual(Object.keys(rootReasons).sort());
});

test('a field with a permission of its own is nullable, so that a refusal takes nothing else away', () => {
  // The fields of each of these types have one permission, which is that of every way to them.
  const allOrNothing = ['User', 'ApiKey', 'WebhookEndpoint', 'WebhookDelivery'];
  const ruled = nonNull.filter(
    ({ type, field }) => ![...roots, ...allOrNothing].includes(type) && fieldRule(type, field.name) !== 'with-parent',
  );
  expect(ruled.map(({ name }) => name)).toEqual([]);
});
