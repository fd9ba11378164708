/** Covers src/identity/api-keys/api-key-service.ts, src/identity/api-keys/api-key-verifier.ts. */
// Threat: an attacker has the leaked API key of a machine.

import { describe, expect, test } from 'vitest';
import { apiKeyScopes } from '../../src/identity/api-keys/api-key-service.js';
import { asAdmin, listenToAudit, refusalsOf, sameDatabases } from '../support/identity.js';
import { modelId } from '../support/heart-disease.js';
import { connectSocket, openSocket } from '../support/raw-socket.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const second = await startSystem({ worker: false, ...sameDatabases(system) });
const audit = listenToAudit(system);

interface Created {
  readonly key: string;
  readonly apiKey: { readonly id: string; readonly prefix: string };
}

const createMutation = /* GraphQL */ `
  mutation ($input: CreateApiKeyInput!) {
    createApiKey(input: $input) {
      key
      apiKey {
        id
        name
        prefix
        scopes
        createdAt
        createdBy
        lastUsedAt
        expiresAt
        revokedAt
      }
    }
  }
`;
const revokeMutation = 'mutation ($id: ID!) { revokeApiKey(id: $id) { id revokedAt } }';

async function createKey(
  scopes: readonly string[] = apiKeyScopes,
  rest: object = {},
  organization?: string,
): Promise<Created> {
  return (
    await asAdmin<{ createApiKey: Created }>(
      system,
      createMutation,
      { input: { name: 'nightly scores', scopes, ...rest } },
      organization,
    )
  ).createApiKey;
}

const listed = async (organization?: string) =>
  (
    await asAdmin<{ apiKeys: { edges: { node: Record<string, unknown> }[] } }>(
      system,
      /* GraphQL */ `
        {
          apiKeys(first: 500) {
            edges {
              node {
                id
                name
                prefix
                scopes
                createdAt
                createdBy
                lastUsedAt
                expiresAt
                revokedAt
              }
            }
          }
        }
      `,
      {},
      organization,
    )
  ).apiKeys.edges.map(({ node }) => node);

const lastUsedAt = async (id: string): Promise<Date | undefined> =>
  (await system.app.models.apiKeys.findById(id).orFail()).lastUsedAt;

describe('an API key', () => {
  test('is shown once, and later only by its parts that are not secret', async () => {
    const { key, apiKey } = await createKey();
    expect(key).toMatch(/^rgk_[0-9a-f]{24}_[\w-]{43}$/);
    expect(apiKey.prefix).toBe(key.slice(0, 28));
    expect(await listed()).toContainEqual({
      ...apiKey,
      name: 'nightly scores',
      scopes: [...apiKeyScopes],
      createdBy: 'the-admin',
      createdAt: expect.any(String),
      lastUsedAt: null,
      expiresAt: null,
      revokedAt: null,
    });
    expect(JSON.stringify(await listed())).not.toContain(key.slice(-43));
  });

  test('is accepted like a token: over HTTP, and for subscriptions', async () => {
    const { key } = await createKey();
    const { data } = await system.post('{ viewer { username role permissions expiresAt } }', undefined, key);
    expect(data).toEqual({
      viewer: {
        username: `api-key:${key.slice(4, 28)}`,
        role: 'SERVICE',
        permissions: [...apiKeyScopes],
        expiresAt: '9999-12-31T00:00:00.000Z',
      },
    });
    const socket = await connectSocket(system.url, key);
    socket.send({
      type: 'subscribe',
      id: '1',
      payload: { query: 'subscription { scoringJobUpdated(id: "aaaaaaaaaaaaaaaaaaaaaaaa") { sequence } }' },
    });
    expect(await socket.next()).toMatchObject({ type: 'error', payload: [{ extensions: { code: 'NOT_FOUND' } }] });
  });

  test('needs no read of MongoDB per request, so that it works while MongoDB is away', async () => {
    const { key, apiKey } = await createKey(['model:read']);
    expect(codesOf(await system.post('{ riskModels { id } }', undefined, key))).toEqual([]);
    await expect.poll(() => lastUsedAt(apiKey.id)).toBeDefined();
    // The process does not know of this change. A read would show it.
    const stored = await system.app.models.apiKeys.findById(apiKey.id).orFail();
    await system.app.models.apiKeys.deleteOne({ _id: apiKey.id });
    expect(codesOf(await system.post('{ riskModels { id } }', undefined, key))).toEqual([]);
    await system.app.models.apiKeys.collection.insertOne(stored.toObject());
  });

  test('shows its last use, written once per minute', async () => {
    const { key, apiKey } = await createKey();
    expect(await refusalsOf(system, key)).toEqual([]);
    await expect.poll(() => lastUsedAt(apiKey.id)).toBeDefined();
    const first = await lastUsedAt(apiKey.id);
    // Another process does not know of that write, and does not overwrite it.
    for (const { post } of [system, second, system, second]) expect(await refusalsOf({ post }, key)).toEqual([]);
    await system.app.models.apiKeys.updateOne({ _id: apiKey.id }, { $set: { name: 'after those' } });
    expect(await lastUsedAt(apiKey.id)).toEqual(first);
    expect((await listed()).find(({ id }) => id === apiKey.id)!.lastUsedAt).toBe(first!.toISOString());
  });

  test('is made and revoked only by ADMIN, and both are recorded', async () => {
    audit.events.length = 0;
    const { apiKey } = await createKey();
    await asAdmin(system, revokeMutation, { id: apiKey.id });
    expect(audit.events).toMatchObject(
      ['createApiKey', 'revokeApiKey'].map(() => ({
        action: 'api-key:manage',
        outcome: 'ALLOWED',
        actor: { username: 'the-admin' },
        subject: { kind: 'API_KEY', id: apiKey.id },
      })),
    );
    const { key } = await createKey();
    expect(codesOf(await system.post(createMutation, { input: { name: 'heir', scopes: ['job:read'] } }, key))).toEqual([
      'FORBIDDEN',
    ]);
    expect(codesOf(await system.post(revokeMutation, { id: apiKey.id }, key))).toEqual(['FORBIDDEN']);
  });
});

describe('a leaked API key', () => {
  // Shows: 164.312(a)(1)
  test('can do only what its scopes allow, even if its role may do more', async () => {
    const { key } = await createKey(['job:read']);
    expect(codesOf(await system.post('{ scoringJobs { totalCount } }', undefined, key))).toEqual([]);
    const beyond = [
      '{ viewer { username } }',
      '{ patients { totalCount } }',
      '{ predictions { totalCount } }',
      '{ riskModels { id } }',
      '{ users { totalCount } }',
      `{ simulateRisk(input: { modelId: "${modelId}" }) { probability } }`,
      `mutation { submitBatchScoringJob(input: { modelId: "${modelId}", all: true }) { id } }`,
      'mutation { cancelScoringJob(id: "aaaaaaaaaaaaaaaaaaaaaaaa") { id } }',
      'mutation { changePassword(input: { currentPassword: "", newPassword: "" }) { expiresAt } }',
    ];
    for (const operation of beyond)
      expect(codesOf(await system.post(operation, undefined, key)), operation).toEqual(['FORBIDDEN']);
    const socket = await connectSocket(system.url, key);
    socket.send({ type: 'subscribe', id: '1', payload: { query: 'subscription { predictionCreated { id } }' } });
    expect(await socket.next()).toMatchObject({ type: 'error', payload: [{ extensions: { code: 'FORBIDDEN' } }] });
    const denied = audit.events
      .filter(({ outcome, actor }) => outcome === 'DENIED' && actor.username.startsWith('api-key:'))
      .map(({ action }) => action);
    expect(denied).toEqual(expect.arrayContaining(['prediction:read', 'risk:simulate', 'job:submit', 'job:control']));
  });

  test.each([[['patient:read']], [['user:manage']], [['job:read', 'password:change']], [['*']], [['']], [[]]])(
    'cannot have the scopes %j',
    async (scopes) => {
      const before = await system.counts();
      const answer = await system.post(
        createMutation,
        { input: { name: 'too much', scopes } },
        await system.token('ADMIN'),
      );
      expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
      expect(await system.counts()).toEqual(before);
    },
  );

  // Shows: 164.312(d)
  test('is refused everywhere and its socket closed once it is revoked, also from the cache', async () => {
    const { key, apiKey } = await createKey();
    for (const { post } of [system, second]) expect(await refusalsOf({ post }, key)).toEqual([]);
    const sockets = await Promise.all([system, second].map(({ url }) => connectSocket(url, key)));
    await asAdmin(system, revokeMutation, { id: apiKey.id });
    for (const { closed } of sockets)
      expect(await closed).toEqual({ code: 4403, reason: 'Forbidden: this credential was revoked' });
    for (const { post, url } of [system, second]) {
      expect(await refusalsOf({ post }, key)).toEqual(['UNAUTHENTICATED']);
      const socket = await openSocket(url);
      socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } });
      expect((await socket.closed).code).toBe(4403);
    }
    // A machine has no password to log in with.
    expect((await system.post('{ scoringJobs { totalCount } }', undefined, key)).errors![0]!.message).toBe(
      'This API key was revoked: ask an administrator for a new one.',
    );
    expect((await listed()).find(({ id }) => id === apiKey.id)!.revokedAt).not.toBeNull();
    // A second revocation changes nothing, and is no error.
    const again = await asAdmin<{ revokeApiKey: { revokedAt: string } }>(system, revokeMutation, { id: apiKey.id });
    expect(again.revokeApiKey.revokedAt).toBe((await listed()).find(({ id }) => id === apiKey.id)!.revokedAt);
  });

  test('stops working at its expiry', async () => {
    const { key, apiKey } = await createKey(apiKeyScopes, { expiresAt: new Date(Date.now() + 4_000).toISOString() });
    const socket = await connectSocket(system.url, key);
    expect(await socket.closed).toMatchObject({ code: 4403, reason: expect.stringContaining('expired') });
    expect(await refusalsOf(system, key)).toEqual(['UNAUTHENTICATED']);
    expect((await listed()).find(({ id }) => id === apiKey.id)!.expiresAt).not.toBeNull();
    const past = await system.post(
      createMutation,
      { input: { name: 'late', scopes: ['job:read'], expiresAt: '2020-01-01T00:00:00Z' } },
      await system.token('ADMIN'),
    );
    expect(past.errors![0]!.extensions).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ path: 'expiresAt' }] });
  });

  test('is refused as its id with another secret, and as its secret with another id', async () => {
    const { key } = await createKey();
    const other = await createKey();
    const id = key.slice(4, 28);
    const secret = key.slice(-43);
    const altered = `${secret.slice(0, -2)}${secret.at(-2) === 'A' ? 'B' : 'A'}${secret.at(-1)}`;
    for (const forged of [
      `rgk_${id}_${altered}`,
      `rgk_${id}_`,
      `rgk_${id}`,
      `rgk_${other.apiKey.id}_${secret}`,
      `rgk_aaaaaaaaaaaaaaaaaaaaaaaa_${secret}`,
      `${key}x`,
      key.toUpperCase(),
      secret,
    ]) {
      expect(await refusalsOf(system, forged)).toEqual(['UNAUTHENTICATED']);
    }
    expect(await refusalsOf(system, key)).toEqual([]);
  });

  test("works only in its organization, and only that organization's ADMIN can see or revoke it", async () => {
    const { key, apiKey } = await createKey(apiKeyScopes, {}, 'beta');
    expect((await listed()).map(({ id }) => id)).not.toContain(apiKey.id);
    expect(codesOf(await system.post(revokeMutation, { id: apiKey.id }, await system.token('ADMIN', 'alpha')))).toEqual(
      ['NOT_FOUND'],
    );
    expect((await system.post('{ viewer { organization { slug } } }', undefined, key)).data).toEqual({
      viewer: { organization: { slug: 'beta' } },
    });
  });
});
