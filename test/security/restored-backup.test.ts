/** Covers src/commands/restored.ts, src/identity/end-credentials.ts, src/identity/revocation/refuse-older-data.ts. */
// Threat: a restored backup brings back API keys, sessions and tokens that were revoked after it was made.

import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { Role } from '../../models/index.js';
import { runCommand } from '../support/run-command.js';
import { asAdmin, createApiKey, createUser, login, refresh, refusalsOf, sameDatabases } from '../support/identity.js';
import { settingsFor, startSystem, type System } from '../support/system.js';

const collections = ['apiKeys', 'sessions', 'revocations', 'revocationEpochs'] as const;

/** Makes a system whose credentials were revoked after a backup, and restores the backup. */
async function restoredSystem() {
  const system = await startSystem({ worker: false });
  const { models } = system.app;
  const user = await createUser(system);
  const tokens = await login(system, user);
  const apiKey = await createApiKey(system, ['viewer:read']);
  const backup = await Promise.all(
    collections.map(async (name) => [name, await models[name].collection.find().toArray()] as const),
  );
  const { _id } = (await models.apiKeys.findOne().lean())!;
  await asAdmin(system, 'mutation ($id: ID!) { revokeApiKey(id: $id) { id } }', { id: _id.toHexString() });
  await asAdmin(system, 'mutation ($id: ID!) { revokeSessions(userId: $id) { id } }', { id: user.id });
  for (const credential of [apiKey, tokens.accessToken])
    expect(await refusalsOf(system, credential)).toEqual(['UNAUTHENTICATED']);
  // All processes are stopped for a restore.
  await system.app.identity.close();
  for (const [name, documents] of backup) {
    await models[name].collection.deleteMany({});
    if (documents.length > 0) await models[name].collection.insertMany(documents);
  }
  return { system, user, tokens, apiKey };
}

const startAgain = (system: System): Promise<System> => startSystem({ worker: false, ...sameDatabases(system) });

// Shows: 164.312(d)
test('the API does not start on data that went back in time, until the operator has ended their credentials', async () => {
  const { system, user, tokens, apiKey } = await restoredSystem();
  await expect(startAgain(system)).rejects.toThrow(
    'MongoDB was restored from a backup: it has 0 revocations of credentials, and Redis has seen 2. Run "riskgraph restored"',
  );
  const restored = await runCommand(['restored'], settingsFor(system.app.config));
  expect(restored).toMatchObject({ code: 0, errors: '' });
  expect(restored.output).toContain('alpha: 1 sessions and 1 API keys ended, and all other tokens\n');

  const again = await startAgain(system);
  for (const credential of [apiKey, tokens.accessToken])
    expect(await refusalsOf(again, credential)).toEqual(['UNAUTHENTICATED']);
  expect((await refresh(again, tokens.refreshToken)).errors).toMatchObject([
    { extensions: { code: 'UNAUTHENTICATED' } },
  ]);
  const events = await system.app.models.auditEvents.find({ action: 'credential:end-all' }).lean();
  expect(events).toMatchObject([{ username: 'command-line', outcome: 'ALLOWED' }]);
  // The issue time of a token counts in seconds, so a token of the same second is refused too.
  await expect.poll(async () => refusalsOf(again, (await login(again, user)).accessToken)).toEqual([]);
});

// Shows: 164.312(d)
test('with a new Redis nothing tells of the restore, and the command ends the credentials in running processes', async () => {
  const { system, tokens, apiKey } = await restoredSystem();
  // No session and no user of ours stands behind it, as behind a token of an identity provider.
  const foreign = await system.app.accessTokens.sign(
    { username: 'not-ours', role: Role.SERVICE, organizationId: await system.organizationId() },
    3_600,
  );
  const redis = new Redis(system.app.config.redisUrl!);
  onTestFinished(() => redis.disconnect());
  await redis.del(`${system.app.config.redisPrefix}:revocation-epoch`);
  const again = await startAgain(system);
  const revived = [apiKey, tokens.accessToken, foreign];
  for (const credential of revived) expect(await refusalsOf(again, credential)).toEqual([]);

  expect(await runCommand(['restored'], settingsFor(system.app.config))).toMatchObject({ code: 0, errors: '' });
  for (const credential of revived) await expect.poll(() => refusalsOf(again, credential)).toEqual(['UNAUTHENTICATED']);
});
