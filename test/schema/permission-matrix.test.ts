import { describe, expect, test } from 'vitest';
import { Role } from '../../models/index.js';
import { buildBareSchema } from '../../schema/build-schema.js';
import { codesOf, startSystem } from '../support/system.js';
import { codesOfReply, isForSubscriptions, transports } from '../support/transports.js';

const system = await startSystem();
const roles = Object.values(Role);
const everybody = roles;
const id = '"aaaaaaaaaaaaaaaaaaaaaaaa"';

/** Permissions of the contract, written here a second time, independently of the code. */
const matrix: Record<string, { readonly operation: string; readonly allowed: readonly Role[] }> = {
  'Query.viewer': { operation: '{ viewer { username } }', allowed: everybody },
  'Query.patient': { operation: `{ patient(id: ${id}) { id } }`, allowed: [Role.CLINICIAN, Role.ANALYST] },
  'Query.patients': { operation: '{ patients { totalCount } }', allowed: [Role.CLINICIAN, Role.ANALYST] },
  'Query.prediction': {
    operation: `{ prediction(id: ${id}) { id } }`,
    allowed: [Role.CLINICIAN, Role.ANALYST, Role.SERVICE],
  },
  'Query.predictions': {
    operation: '{ predictions { totalCount } }',
    allowed: [Role.CLINICIAN, Role.ANALYST, Role.SERVICE],
  },
  'Query.scoringJob': { operation: `{ scoringJob(id: ${id}) { id } }`, allowed: everybody },
  'Query.scoringJobs': { operation: '{ scoringJobs { totalCount } }', allowed: everybody },
  'Query.riskModels': { operation: '{ riskModels { id } }', allowed: everybody },
  'Query.riskModel': { operation: `{ riskModel(id: ${id}) { id } }`, allowed: everybody },
  'Query.simulateRisk': {
    operation: `{ simulateRisk(input: { modelId: ${id} }) { probability } }`,
    allowed: [Role.CLINICIAN, Role.SERVICE],
  },
  'Query.verifyPrediction': { operation: `{ verifyPrediction(id: ${id}) { agrees } }`, allowed: everybody },
  'Query.auditEvents': { operation: '{ auditEvents { totalCount } }', allowed: [Role.ADMIN] },
  'Query.auditChain': { operation: '{ auditChain { events } }', allowed: [Role.ADMIN] },
  'Query.encryptionStatus': { operation: '{ encryptionStatus { keys { id } } }', allowed: [Role.ADMIN] },
  'Query.systemStatus': { operation: '{ systemStatus { workersAlive } }', allowed: [Role.ADMIN] },
  'Mutation.rotateEncryptionKey': { operation: 'mutation { rotateEncryptionKey { id } }', allowed: [Role.ADMIN] },
  'Query.breakGlassAccesses': { operation: '{ breakGlassAccesses { totalCount } }', allowed: [Role.ADMIN] },
  'Mutation.breakGlass': {
    operation: `mutation { breakGlass(input: { patientId: ${id}, reason: "none at all" }) { id } }`,
    allowed: [Role.CLINICIAN],
  },
  'Mutation.assignCareTeam': {
    operation: `mutation { assignCareTeam(input: { patientId: ${id} }) { patientId } }`,
    allowed: [Role.ADMIN],
  },
  'Mutation.createPatient': {
    operation: 'mutation { createPatient(input: { mrn: "" }) { id } }',
    allowed: [Role.CLINICIAN],
  },
  'Mutation.updatePatient': {
    operation: `mutation { updatePatient(input: { id: ${id}, expectedVersion: 1 }) { id } }`,
    allowed: [Role.CLINICIAN],
  },
  'Mutation.upsertPatients': {
    operation: 'mutation { upsertPatients(inputs: [{ mrn: "" }]) { outcome } }',
    allowed: [Role.CLINICIAN],
  },
  'Mutation.deletePatient': { operation: `mutation { deletePatient(id: ${id}) { id } }`, allowed: [Role.CLINICIAN] },
  'Mutation.submitScoringJob': {
    operation: `mutation { submitScoringJob(input: { patientId: ${id}, modelId: "m" }) { id } }`,
    allowed: [Role.CLINICIAN, Role.SERVICE],
  },
  'Mutation.submitBatchScoringJob': {
    operation: `mutation { submitBatchScoringJob(input: { patientIds: [${id}], modelId: "m" }) { id } }`,
    allowed: [Role.CLINICIAN, Role.SERVICE],
  },
  'Mutation.cancelScoringJob': {
    operation: `mutation { cancelScoringJob(id: ${id}) { id } }`,
    allowed: [Role.CLINICIAN, Role.SERVICE, Role.ADMIN],
  },
  'Mutation.retryScoringJob': {
    operation: `mutation { retryScoringJob(id: ${id}) { id } }`,
    allowed: [Role.CLINICIAN, Role.SERVICE, Role.ADMIN],
  },
  'Query.users': { operation: '{ users { totalCount } }', allowed: [Role.ADMIN] },
  'Query.sessions': { operation: '{ sessions { totalCount } }', allowed: [Role.ADMIN] },
  'Query.apiKeys': { operation: '{ apiKeys { totalCount } }', allowed: [Role.ADMIN] },
  'Mutation.changePassword': {
    operation: 'mutation { changePassword(input: { currentPassword: "", newPassword: "" }) { expiresAt } }',
    allowed: everybody,
  },
  'Mutation.createUser': {
    operation: 'mutation { createUser(input: { username: "", role: ADMIN, password: "" }) { id } }',
    allowed: [Role.ADMIN],
  },
  'Mutation.updateUser': {
    operation: `mutation { updateUser(input: { id: ${id}, disabled: true }) { id } }`,
    allowed: [Role.ADMIN],
  },
  'Mutation.setUserPassword': {
    operation: `mutation { setUserPassword(input: { id: ${id}, newPassword: "" }) { id } }`,
    allowed: [Role.ADMIN],
  },
  'Mutation.revokeSessions': { operation: `mutation { revokeSessions(userId: ${id}) { id } }`, allowed: [Role.ADMIN] },
  'Mutation.revokeSession': { operation: `mutation { revokeSession(id: ${id}) { id } }`, allowed: everybody },
  'Mutation.createApiKey': {
    operation: 'mutation { createApiKey(input: { name: "", scopes: [] }) { key } }',
    allowed: [Role.ADMIN],
  },
  'Mutation.revokeApiKey': { operation: `mutation { revokeApiKey(id: ${id}) { id } }`, allowed: [Role.ADMIN] },
  'Query.webhookEndpoints': {
    operation: '{ webhookEndpoints { totalCount } }',
    allowed: [Role.SERVICE, Role.ADMIN],
  },
  'Query.webhookDeliveries': {
    operation: '{ webhookDeliveries { totalCount } }',
    allowed: [Role.SERVICE, Role.ADMIN],
  },
  'Mutation.createWebhookEndpoint': {
    operation: 'mutation { createWebhookEndpoint(input: { url: "" }) { secret } }',
    allowed: [Role.SERVICE, Role.ADMIN],
  },
  'Mutation.rotateWebhookSecret': {
    operation: `mutation { rotateWebhookSecret(input: { id: ${id} }) { secret } }`,
    allowed: [Role.SERVICE, Role.ADMIN],
  },
  'Mutation.enableWebhookEndpoint': {
    operation: `mutation { enableWebhookEndpoint(id: ${id}) { id } }`,
    allowed: [Role.SERVICE, Role.ADMIN],
  },
  'Mutation.deleteWebhookEndpoint': {
    operation: `mutation { deleteWebhookEndpoint(id: ${id}) { id } }`,
    allowed: [Role.SERVICE, Role.ADMIN],
  },
  'Mutation.replayWebhookDelivery': {
    operation: `mutation { replayWebhookDelivery(id: ${id}) { id } }`,
    allowed: [Role.SERVICE, Role.ADMIN],
  },
  'Subscription.scoringJobUpdated': {
    operation: `subscription { scoringJobUpdated(id: ${id}) { sequence } }`,
    allowed: everybody,
  },
  'Subscription.scoringJobsUpdated': {
    operation: `subscription { scoringJobsUpdated(filter: { patientId: ${id} }) { sequence } }`,
    allowed: [Role.CLINICIAN, Role.ANALYST, Role.SERVICE],
  },
  'Subscription.predictionCreated': {
    operation: `subscription { predictionCreated(patientId: ${id}) { id } }`,
    allowed: [Role.CLINICIAN, Role.ANALYST, Role.SERVICE],
  },
};

/** Operations that every caller may call, and the code that refuses the credentials given here. */
const publicOperations: Record<string, { readonly operation: string; readonly refusal: readonly string[] }> = {
  'Mutation.login': {
    operation:
      'mutation { login(input: { organization: "alpha", username: "unknown", password: "" }) { accessToken } }',
    refusal: ['INVALID_CREDENTIALS'],
  },
  'Mutation.refresh': {
    operation: 'mutation { refresh(input: { refreshToken: "" }) { accessToken } }',
    refusal: ['UNAUTHENTICATED'],
  },
  'Mutation.logout': { operation: 'mutation { logout(input: { refreshToken: "" }) { ended } }', refusal: [] },
};

const streams = transports.filter(([transport]) => isForSubscriptions(transport));

/**
 * Runs a query or mutation over HTTP, and a subscription over every transport that it has.
 * @returns the code of its refusal, if it was refused; all transports must agree
 */
async function codes(operation: string, token?: string): Promise<(string | undefined)[]> {
  if (!operation.startsWith('subscription')) return codesOf(await system.post(operation, undefined, token));
  const [first, ...others] = await Promise.all(
    streams.map(async ([, send]) => codesOfReply(await send(system, { query: operation }, token))),
  );
  expect(others).toEqual(others.map(() => first));
  return first!;
}

// Shows: owasp/authorization
test('the matrix has every operation of the schema', () => {
  const schema = buildBareSchema(system.app);
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  expect(Object.keys({ ...matrix, ...publicOperations }).sort()).toEqual(
    roots.flatMap((type) => Object.keys(type!.getFields()).map((field) => `${type!.name}.${field}`)).sort(),
  );
});

describe.each(Object.entries(matrix))('%s', (_name, { operation, allowed }) => {
  // Shows: 164.312(a)(1)
  test('is UNAUTHENTICATED to anonymous callers', async () => {
    expect(await codes(operation)).toEqual(['UNAUTHENTICATED']);
  });

  // Shows: 164.312(a)(1), owasp/authorization
  test.each(roles)('for the role %s', async (role) => {
    const seen = await codes(operation, await system.token(role));
    expect(seen).not.toContain('UNAUTHENTICATED');
    expect(seen).not.toContain('INTERNAL');
    if (allowed.includes(role)) expect(seen).not.toContain('FORBIDDEN');
    else expect(seen).toEqual(['FORBIDDEN']);
  });
});

describe.each(Object.entries(publicOperations))('%s', (_name, { operation, refusal }) => {
  test('gives every caller the same answer, with a token, without one, and with an invalid one', async () => {
    for (const token of [undefined, 'garbage', ...(await Promise.all(roles.map((role) => system.token(role))))]) {
      expect(await codes(operation, token)).toEqual(refusal);
    }
  });
});

test('a token of an unknown role, of another key or without an organization is UNAUTHENTICATED', async () => {
  const good = await system.token('CLINICIAN');
  const [header, payload, signature] = good.split('.') as [string, string, string];
  const forged = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  const withPayload = (changes: object): string =>
    `${header}.${Buffer.from(JSON.stringify({ ...forged, ...changes })).toString('base64url')}.${signature}`;
  const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
  for (const token of [
    withPayload({ role: 'ADMIN' }),
    withPayload({ org: 'b'.repeat(24) }),
    unsigned,
    `${header}.${payload}.x`,
    'garbage',
  ]) {
    expect(codesOf(await system.post('{ viewer { username } }', undefined, token))).toEqual(['UNAUTHENTICATED']);
  }
  const expired = await system.token('CLINICIAN', 'alpha', -1);
  expect(await system.post('{ viewer { username } }', undefined, expired)).toMatchObject({
    errors: [{ message: expect.stringContaining('expired'), extensions: { code: 'UNAUTHENTICATED' } }],
  });
});
