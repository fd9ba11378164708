import { expect, test } from 'vitest';
import { RevocationKind, type User } from '../../../models/index.js';
import { createSessionStore } from '../../../src/identity/sessions/session-store.js';
import { createUserDirectory } from '../../../src/identity/users/user-directory.js';
import { createUser } from '../../support/identity.js';
import { startSystem } from '../../support/system.js';

const system = await startSystem({ worker: false });
const { models, scopeOf, identity, audit } = system.app;

test('a user whom one administrator disables and another one enables at once is not left blocked', async () => {
  const { id, username } = await createUser(system);
  const store = createSessionStore(models, scopeOf, identity.revocations.revoke, 3_600_000);
  let meanwhile: (() => Promise<unknown>) | undefined = () =>
    models.users.updateOne({ _id: id }, { $set: { disabled: false } });
  const directory = createUserDirectory({
    passwords: identity.passwords,
    audit,
    sessions: {
      async endAll(...call) {
        await meanwhile?.();
        meanwhile = undefined;
        await store.endAll(...call);
      },
    },
  });
  const organizationId = await system.organizationId();
  const user = await models.users.findById(id).lean<User>().orFail();
  const updated = await directory.update(
    scopeOf({ organizationId }),
    { organizationId, username: 'the-admin', origin: { requestId: 'test', address: 'local' } },
    user,
    { disabled: true },
  );
  expect(updated.disabled).toBe(false);
  expect(await models.revocations.findOne({ kind: RevocationKind.USER, subject: username })).toMatchObject({
    blocked: false,
  });
});
