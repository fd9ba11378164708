/** Covers src/identity/sessions/password-login.ts, src/identity/sessions/login-throttle.ts. */
// Threat: a stranger learns which users there are from the answers to logins.

import { pino } from 'pino';
import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { Role } from '../../models/index.js';
import { loginLimits } from '../../src/identity/sessions/login-throttle.js';
import {
  asAdmin,
  createUser,
  credentialOf,
  listenToAudit,
  loginMutation,
  updateUserMutation,
} from '../support/identity.js';
import { connectSocket } from '../support/raw-socket.js';
import { codesOf, startSystem } from '../support/system.js';

const lines: string[] = [];
const logger = pino(
  { level: 'trace' },
  new Writable({ write: (chunk: Buffer, _encoding, done) => (lines.push(chunk.toString()), done()) }),
);
const system = await startSystem({ worker: false, logger });
const audit = listenToAudit(system);

const present = await createUser(system, { username: 'ada.lovelace' });
const disabled = await createUser(system, { username: 'grace' });
await asAdmin(system, updateUserMutation, { input: { id: disabled.id, disabled: true } });
// A user without a password, as `riskgraph token` and an identity provider create one.
await system.app.models.users.create({
  organization: await system.organizationId(),
  username: 'oidc-user',
  role: Role.CLINICIAN,
  createdAt: new Date(),
});

/** Logins that are tried. Only the first user could log in, with another password. */
const asked: readonly [string, { organization: string; username: string; password: string }][] = [
  ['a user who is there, with a wrong password', { ...credentialOf(present), password: 'wrong password' }],
  [
    'a user who is there, with a wrong password of absurd length',
    { ...credentialOf(present), password: 'x'.repeat(1_000) },
  ],
  ['a user who is there, with no password', { ...credentialOf(present), password: '' }],
  ['a user who is disabled, with the right password', credentialOf(disabled)],
  ['a user without a password', { organization: 'alpha', username: 'oidc-user', password: '' }],
  ['a user who is not there', { organization: 'alpha', username: 'Canary-4711', password: present.password }],
  ['a user of another organization', { organization: 'beta', username: present.username, password: present.password }],
  [
    'an organization that is not there',
    { organization: 'Canary-4711-org', username: 'Canary-4711', password: present.password },
  ],
  ['a name that no user can have', { organization: 'alpha', username: '{"$ne": null}', password: present.password }],
];

describe('a refused login', async () => {
  await system.organizationId('beta');
  // Shows: 164.312(d)
  test.each(asked)('for %s is answered like every other, after one argon2 verification', async (_name, input) => {
    const before = system.app.identity.passwords.verifications;
    const { status, text } = await system.post(loginMutation, { input });
    expect(system.app.identity.passwords.verifications - before).toBe(1);
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      data: null,
      errors: [
        {
          message: 'The organization, the username or the password is wrong.',
          path: ['login'],
          locations: expect.any(Array),
          extensions: { code: 'INVALID_CREDENTIALS' },
        },
      ],
    });
  });

  test('takes as many verifications as a login that succeeds', async () => {
    const before = system.app.identity.passwords.verifications;
    expect((await system.post(loginMutation, { input: credentialOf(present) })).errors).toBeUndefined();
    expect(system.app.identity.passwords.verifications - before).toBe(1);
  });

  test('is recorded under the name of an existing user, else without a name', async () => {
    audit.events.length = 0;
    for (const [, input] of asked) await system.post(loginMutation, { input });
    const names = audit.events.map(({ action, outcome, actor }) => [action, outcome, actor.username]);
    const failed = (username: string) => ['session:login', 'FAILED', username];
    expect(names).toEqual([
      ...['ada.lovelace', 'ada.lovelace', 'ada.lovelace', 'grace', 'oidc-user', 'unknown', 'unknown', 'unknown'].map(
        failed,
      ),
    ]);
    expect(lines.join('')).toContain('password refused');
    expect(lines.join('')).not.toContain('Canary');
    expect(lines.join('')).not.toContain('ada.lovelace');
  });
});

test('a login at a missing organization is logged with its address, and without its input', async () => {
  lines.length = 0;
  audit.events.length = 0;
  const input = { organization: 'Canary-4712-org', username: 'Canary-4712', password: 'Canary-password' };
  const { errors } = await system.post(loginMutation, { input });
  expect(codesOf({ errors })).toEqual(['INVALID_CREDENTIALS']);
  for (let attempt = 1; attempt < loginLimits.pair.points + 3; attempt++) await system.post(loginMutation, { input });
  const warnings = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ level }) => level === pino.levels.values.warn);
  const warning = {
    action: 'session:login',
    address: '127.0.0.1',
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    msg: 'password refused: the organization does not exist',
  };
  // A flood of the same attempt is logged once.
  expect(warnings).toMatchObject([
    ...Array.from({ length: loginLimits.pair.points }, () => ({ ...warning, outcome: 'FAILED' })),
    { ...warning, outcome: 'DENIED' },
  ]);
  expect(lines.join('')).not.toContain('Canary');
  expect(audit.events).toEqual([]);
});

test('too many attempts get the same answer, whether the account exists or not', async () => {
  const { username, ...rest } = credentialOf(await createUser(system));
  const answers = [];
  for (const input of [
    { username, ...rest },
    { username: 'not-there', ...rest },
    { username, ...rest, organization: 'not-there' },
  ]) {
    for (let attempt = 0; attempt < loginLimits.pair.points; attempt++)
      await system.post(loginMutation, { input: { ...input, password: 'wrong password' } });
    const { errors } = await system.post(loginMutation, { input });
    answers.push({ message: errors![0]!.message.replace(/\d+/, 'N'), code: errors![0]!.extensions!.code });
  }
  expect(answers).toEqual(
    new Array(3).fill({ message: 'Too many login attempts: try again in N seconds.', code: 'RATE_LIMITED' }),
  );
});

test('other roles see no user, and an administrator sees no user of another organization', async () => {
  const elsewhere = await createUser(system, { organization: 'beta', username: 'only-in-beta' });
  for (const role of ['CLINICIAN', 'ANALYST', 'SERVICE'] as const) {
    const answer = await system.post('{ users { edges { node { username } } } }', undefined, await system.token(role));
    expect(answer.errors![0]!.extensions!.code).toBe('FORBIDDEN');
  }
  const listed = await system.post(
    '{ users(first: 500) { edges { node { username } } } }',
    undefined,
    await system.token('ADMIN'),
  );
  expect(listed.text).toContain('ada.lovelace');
  expect(listed.text).not.toContain('only-in-beta');
  // Each organization can have a user with this name.
  expect((await createUser(system, { username: elsewhere.username })).id).not.toBe(elsewhere.id);
});

test('there is no login over the WebSocket', async () => {
  const socket = await connectSocket(system.url);
  socket.send({
    type: 'subscribe',
    id: '1',
    payload: { query: loginMutation, variables: { input: credentialOf(present) } },
  });
  expect(await socket.next()).toMatchObject({
    type: 'error',
    payload: [{ message: expect.stringContaining('POST /graphql') }],
  });
});
