/* eslint-disable no-console -- a benchmark prints */
import { Types } from 'mongoose';
import { RevocationKind, Role } from '../../models/index.js';
import { formatApiKey, hashSecret, newApiKeySecret } from '../../src/identity/api-keys/api-key-format.js';
import { argon2Parameters } from '../../src/identity/passwords/passwords.js';
import { startBenchSystem } from '../jobs/setup.js';

// Measures the time to authenticate a request, and the time of a login to verify its password.
const rounds = Number(process.argv[2] ?? 20_000);

const system = await startBenchSystem(1);
try {
  const { identity, accessTokens, scopeOf } = system.app;
  await identity.start();
  const subject = { username: 'bench', role: Role.SERVICE, organizationId: system.viewer.organizationId };
  const secret = newApiKeySecret();
  const _id = new Types.ObjectId();
  await scopeOf(system.viewer).apiKeys.insert({
    _id,
    name: 'bench',
    scopes: ['job:read'],
    secretHash: hashSecret(secret),
    createdAt: new Date(),
    createdBy: 'bench',
  });
  // Revocations, as many as in a busy month.
  for (let start = 0; start < 5_000; start += 500) {
    await identity.revocations.revoke(
      new Types.ObjectId(system.viewer.organizationId),
      Array.from({ length: 500 }, (_, index) => ({ kind: RevocationKind.USER, subject: `user-${start + index}` })),
    );
  }
  const credentials = {
    'access token': await accessTokens.sign(subject, 3600),
    'API key': formatApiKey(_id.toHexString(), secret),
  };
  for (const [name, credential] of Object.entries(credentials)) {
    for (let round = 0; round < 1_000; round += 1) await identity.authenticator.authenticate(`Bearer ${credential}`);
    const start = performance.now();
    for (let round = 0; round < rounds; round += 1) await identity.authenticator.authenticate(`Bearer ${credential}`);
    console.log(
      `${name}: ${(((performance.now() - start) / rounds) * 1_000).toFixed(0)} microseconds per request, one after ` +
        'the other',
    );
  }
  const passwordHash = await identity.passwords.hash('four quiet herons at dusk', 'bench');
  const start = performance.now();
  for (let round = 0; round < 20; round += 1) await identity.passwords.verify(passwordHash, 'not that one', 'bench');
  console.log(
    `argon2id (${argon2Parameters.memoryCost / 1024} MiB, ${argon2Parameters.timeCost} passes): ` +
      `${((performance.now() - start) / 20).toFixed(0)} ms per password`,
  );
} finally {
  await system.close();
}
process.exit(0);
