import { isInputObjectType } from 'graphql';
import { describe, expect, test } from 'vitest';
import { Role } from '../../models/index.js';
import { buildBareSchema } from '../../schema/build-schema.js';
import { ServiceUnavailableError } from '../../src/errors.js';
import {
  asAdmin,
  createUser,
  credentialOf,
  goodPassword,
  listenToAudit,
  login,
  loginMutation,
  refusalsOf,
  sameDatabases,
  updateUserMutation,
  type TestUser,
} from '../support/identity.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const audit = listenToAudit(system);

const update = async (token: string, input: object) =>
  system.post<{ updateUser: { role: string; disabled: boolean } }>(updateUserMutation, { input }, token);
const createMutation = /* GraphQL */ `
  mutation ($input: CreateUserInput!) {
    createUser(input: $input) {
      id
      username
      role
      disabled
      hasPassword
      passwordChangedAt
      createdAt
    }
  }
`;

describe('an administrator', () => {
  test('creates a user, who can log in, and lists all of the organization', async () => {
    const { createUser: created } = await asAdmin<{ createUser: { id: string } }>(
      system,
      createMutation,
      { input: { username: ' Ada.Lovelace@Example.org ', role: 'CLINICIAN', password: goodPassword } },
      'list-org',
    );
    expect(created).toEqual({
      id: expect.any(String),
      username: 'ada.lovelace@example.org',
      role: 'CLINICIAN',
      disabled: false,
      hasPassword: true,
      passwordChangedAt: expect.any(String),
      createdAt: expect.any(String),
    });
    const { users } = await asAdmin<{ users: object }>(
      system,
      '{ users { totalCount edges { node { id username } } } }',
      {},
      'list-org',
    );
    expect(users).toEqual({
      totalCount: 1,
      edges: [{ node: { id: created.id, username: 'ada.lovelace@example.org' } }],
    });
    await login(system, {
      id: created.id,
      username: 'ada.lovelace@example.org',
      organization: 'list-org',
      password: goodPassword,
    });
  });

  // Shows: 164.312(a)(2)(i), owasp/allowed-values
  test.each(['a', '', 'with space', 'api-key:1', '-dash-first', 'x'.repeat(65), 'ütf', 'command-line', ' Unknown'])(
    'cannot create a user named %j',
    async (username) => {
      const answer = await system.post(
        createMutation,
        { input: { username, role: 'CLINICIAN', password: goodPassword } },
        await system.token('ADMIN'),
      );
      expect(answer.errors![0]!.extensions).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ path: 'username' }] });
    },
  );

  // Shows: 164.312(a)(2)(i)
  test('cannot create a name twice, however it is written, nor at the same moment', async () => {
    const { username } = await createUser(system);
    const again = { input: { username: username.toUpperCase(), role: 'ADMIN', password: goodPassword } };
    expect(codesOf(await system.post(createMutation, again, await system.token('ADMIN')))).toEqual(['CONFLICT']);
    const fresh = { input: { username: `${username}-2`, role: 'ANALYST', password: goodPassword } };
    const token = await system.token('ADMIN');
    const answers = await Promise.all([1, 2, 3].map(() => system.post(createMutation, fresh, token)));
    expect(answers.map(codesOf).sort()).toEqual([[], ['CONFLICT'], ['CONFLICT']]);
  });

  test('sets a password, and the old one no longer works', async () => {
    const user = await createUser(system);
    await asAdmin(system, 'mutation ($input: SetUserPasswordInput!) { setUserPassword(input: $input) { id } }', {
      input: { id: user.id, newPassword: 'seven slow otters at dawn' },
    });
    expect(codesOf(await system.post(loginMutation, { input: credentialOf(user) }))).toEqual(['INVALID_CREDENTIALS']);
    await login(system, { ...user, password: 'seven slow otters at dawn' });
  });

  test('must name a change', async () => {
    const { id } = await createUser(system);
    expect(codesOf(await update(await system.token('ADMIN'), { id }))).toEqual(['BAD_USER_INPUT']);
    expect(codesOf(await update(await system.token('ADMIN'), { id, role: null, disabled: null }))).toEqual([
      'BAD_USER_INPUT',
    ]);
  });

  test('finds no user of another organization, and changes nothing there', async () => {
    const { id } = await createUser(system, { organization: 'beta' });
    const before = await system.app.models.users.findById(id).lean();
    const token = await system.token('ADMIN', 'alpha');
    const operations = [
      `mutation { updateUser(input: { id: "${id}", disabled: true }) { id } }`,
      `mutation { setUserPassword(input: { id: "${id}", newPassword: "seven slow otters at dawn" }) { id } }`,
      `mutation { revokeSessions(userId: "${id}") { id } }`,
    ];
    for (const operation of operations) {
      const there = await system.post(operation, undefined, token);
      const nowhere = await system.post(operation.replace(id, 'a'.repeat(24)), undefined, token);
      expect(codesOf(there)).toEqual(['NOT_FOUND']);
      const told = ({ errors }: typeof there) =>
        errors!.map((error) => ({ ...error, extensions: { code: error.extensions!.code } }));
      expect(told(there)).toEqual(told(nowhere));
      expect(codesOf(await system.post(operation.replace(id, '{ $ne: 1 }'), undefined, token))).toEqual(['NOT_FOUND']);
    }
    expect(await system.app.models.users.findById(id).lean()).toEqual(before);
  });

  test('does nothing that was not recorded before', async () => {
    audit.events.length = 0;
    const user = await createUser(system);
    await asAdmin(system, updateUserMutation, { input: { id: user.id, role: 'ANALYST' } });
    await asAdmin(system, 'mutation ($input: SetUserPasswordInput!) { setUserPassword(input: $input) { id } }', {
      input: { id: user.id, newPassword: 'seven slow otters at dawn' },
    });
    await asAdmin(system, 'mutation ($id: ID!) { revokeSessions(userId: $id) { id } }', { id: user.id });
    expect(audit.events).toMatchObject(
      new Array(4).fill({
        action: 'user:manage',
        outcome: 'ALLOWED',
        actor: { username: 'the-admin', role: 'ADMIN' },
        subject: { kind: 'USER', id: user.id },
      }),
    );

    const before = await system.app.models.users.find().lean();
    audit.fail(new ServiceUnavailableError('no trail'));
    const token = await system.token('ADMIN');
    const refused = [
      await system.post(
        createMutation,
        { input: { username: 'unrecorded', role: 'ADMIN', password: goodPassword } },
        token,
      ),
      await update(token, { id: user.id, disabled: true }),
    ];
    audit.fail(undefined);
    expect(refused.map(codesOf)).toEqual([['SERVICE_UNAVAILABLE'], ['SERVICE_UNAVAILABLE']]);
    expect(await system.app.models.users.find().lean()).toEqual(before);
  });

  test('who fails is recorded as failed', async () => {
    const { username } = await createUser(system);
    audit.events.length = 0;
    await system.post(
      createMutation,
      { input: { username, role: 'ADMIN', password: goodPassword } },
      await system.token('ADMIN'),
    );
    expect(audit.events.map(({ outcome }) => outcome)).toEqual(['ALLOWED', 'FAILED']);
  });
});

describe('the last administrator', () => {
  const tokenOf = async (user: TestUser): Promise<string> => (await login(system, user)).accessToken;

  test('can be neither disabled nor demoted, whether by their own request or by that of another', async () => {
    const only = await createUser(system, { organization: 'last', role: 'ADMIN' });
    // Neither of these counts as an administrator: the first has no password, the second is disabled.
    await system.token('ADMIN', 'last');
    const disabled = await createUser(system, { organization: 'last', role: 'ADMIN' });
    const token = await tokenOf(only);
    expect(codesOf(await update(token, { id: disabled.id, disabled: true }))).toEqual([]);
    for (const change of [{ disabled: true }, { role: 'CLINICIAN' }, { role: 'ADMIN', disabled: true }]) {
      expect(codesOf(await update(token, { id: only.id, ...change }))).toEqual(['CONFLICT']);
      expect(codesOf(await update(await system.token('ADMIN', 'last'), { id: only.id, ...change }))).toEqual([
        'CONFLICT',
      ]);
    }
    expect(await refusalsOf(system, token)).toEqual([]);
    expect(codesOf(await update(token, { id: disabled.id, disabled: false }))).toEqual([]);
    expect(codesOf(await update(token, { id: only.id, role: 'CLINICIAN' }))).toEqual([]);
  });

  test('remains when two administrators demote each other at the same moment on two processes', async () => {
    const second = await startSystem({ worker: false, ...sameDatabases(system) });
    for (let round = 0; round < 5; round++) {
      const organization = `race-${round}`;
      const [one, other] = [
        await createUser(system, { organization, role: 'ADMIN' }),
        await createUser(system, { organization, role: 'ADMIN' }),
      ];
      const [oneToken, otherToken] = [await tokenOf(one), await tokenOf(other)];
      await Promise.all([
        system.post(updateUserMutation, { input: { id: other.id, role: 'ANALYST' } }, oneToken),
        second.post(updateUserMutation, { input: { id: one.id, disabled: true } }, otherToken),
      ]);
      const organizationId = await system.organizationId(organization);
      expect(
        await system.app.models.users.countDocuments({
          organization: organizationId,
          role: Role.ADMIN,
          disabled: { $ne: true },
        }),
      ).toBeGreaterThan(0);
    }
  });
});

test('no input lets a client set an organization, an id of its choice, a hash or a time', () => {
  const types = Object.values(buildBareSchema(system.app).getTypeMap()).filter(isInputObjectType);
  const inputs = Object.fromEntries(types.map((type) => [type.name, Object.keys(type.getFields())]));
  expect(inputs).toMatchObject({
    LoginInput: ['organization', 'username', 'password'],
    RefreshInput: ['refreshToken'],
    LogoutInput: ['refreshToken'],
    ChangePasswordInput: ['currentPassword', 'newPassword'],
    CreateUserInput: ['username', 'role', 'password'],
    UpdateUserInput: ['id', 'role', 'disabled'],
    SetUserPasswordInput: ['id', 'newPassword'],
    CreateApiKeyInput: ['name', 'scopes', 'expiresAt'],
  });
});
