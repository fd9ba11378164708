import { expect, onTestFinished, test } from 'vitest';
import { startEngines } from '../../src/embedded/engines.js';
import { loginLimits } from '../../src/identity/sessions/login-throttle.js';
import { proxyTo } from '../support/cuttable-proxy.js';
import {
  asAdmin,
  createUser,
  credentialOf,
  login,
  loginMutation,
  refresh,
  refusalsOf,
  sameDatabases,
} from '../support/identity.js';
import { namespace } from '../support/namespace.js';
import { connectSocket, openSocket } from '../support/raw-socket.js';
import { codesOf, startSystem } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

test('without MongoDB logins and new API keys get SERVICE_UNAVAILABLE, and tokens stay valid', async () => {
  const engines = await startEngines({ dataDirectory: await temporaryDirectory(), redisUrl: 'redis://unused' });
  onTestFinished(() => engines.stop());
  const system = await startSystem({ worker: false, environment: { MONGO_URI: engines.mongoUri } });
  const user = await createUser(system);
  const tokens = await login(system, user);
  const key = async () =>
    (
      await asAdmin<{ createApiKey: { key: string } }>(
        system,
        'mutation { createApiKey(input: { name: "k", scopes: ["model:read"] }) { key } }',
        {},
      )
    ).createApiKey.key;
  const [known, fresh] = [await key(), await key()];
  expect(codesOf(await system.post('{ riskModels { id } }', undefined, known))).toEqual([]);

  await engines.stop();
  const loggedIn = await system.post(loginMutation, { input: credentialOf(user) });
  const refreshed = await refresh(system, tokens.refreshToken);
  for (const answer of [loggedIn, refreshed, await system.post('{ riskModels { id } }', undefined, fresh)])
    expect(codesOf(answer)).toEqual(['SERVICE_UNAVAILABLE']);
  const socket = await openSocket(system.url);
  socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${fresh}` } });
  expect(await socket.closed).toMatchObject({ code: 1013 });

  expect(codesOf(await system.post('{ riskModels { id } }', undefined, known))).toEqual([]);
  expect(codesOf(await system.post('{ riskModels { id } }', undefined, tokens.accessToken))).toEqual([]);
  await connectSocket(system.url, tokens.accessToken);
});

test('a process that could not reach MongoDB learns of revocations when it can again', async () => {
  const system = await startSystem({ worker: false });
  const proxy = await proxyTo(system.app.config.mongoUri!);
  onTestFinished(() => proxy.close());
  const cutOff = await startSystem({
    worker: false,
    environment: { ...sameDatabases(system).environment, MONGO_URI: proxy.url },
  });
  const user = await createUser(system);
  const { accessToken } = await login(system, user);
  const socket = await connectSocket(cutOff.url, accessToken);
  proxy.cut();
  await asAdmin(system, 'mutation ($id: ID!) { revokeSessions(userId: $id) { id } }', { id: user.id });
  proxy.mend();
  expect((await socket.closed).code).toBe(4403);
  expect(await refusalsOf(cutOff, accessToken)).toEqual(['UNAUTHENTICATED']);
});

test('logins that could not be checked without MongoDB do not lock their user out', async () => {
  const proxy = await proxyTo(namespace().mongoUri);
  onTestFinished(() => proxy.close());
  const system = await startSystem({ worker: false, environment: { MONGO_URI: proxy.url } });
  const user = await createUser(system);
  const logIn = async () => codesOf(await system.post(loginMutation, { input: credentialOf(user) }));
  expect(await logIn()).toEqual([]);

  proxy.cut();
  for (let round = 0; round < 2; round += 1) {
    const answers = await Promise.all(Array.from({ length: loginLimits.pair.points }, logIn));
    expect(answers.flat()).toEqual(answers.map(() => 'SERVICE_UNAVAILABLE'));
  }
  proxy.mend();
  const seen = new Set<string | undefined>();
  await expect.poll(async () => (await logIn()).map((code) => seen.add(code))).toEqual([]);
  expect([...seen].filter((code) => code !== 'SERVICE_UNAVAILABLE')).toEqual([]);
});
