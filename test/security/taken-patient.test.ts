/** Covers src/patients/care-team-service.ts, src/scope/vacant-care-teams.ts. */
// Threat: a clinician takes a patient from all colleagues, or a care team is left in which no user can see the patient.

import type { GraphQLObjectType } from 'graphql';
import { describe, expect, test } from 'vitest';
import { Types } from 'mongoose';
import { Role, type AuditEvent } from '../../models/index.js';
import { buildBareSchema } from '../../schema/build-schema.js';
import { careTeams } from '../support/care-team.js';
import { newPatient } from '../support/heart-disease.js';
import { asAdmin, createUser, updateUserMutation } from '../support/identity.js';
import { codesOf, startSystem, type Answer } from '../support/system.js';

const system = await startSystem({ worker: false });
const { models } = system.app;
const { clinician, eventsOf } = careTeams(system);
const [ada, bob] = await Promise.all([clinician('ada'), clinician('bob')]);

async function create(careTeam: string[] | null, token = ada): Promise<Answer<{ createPatient: { id: string } }>> {
  return system.post(
    'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id } }',
    { input: newPatient({ careTeam }) },
    token,
  );
}
const created = async (careTeam: string[] | null, token = ada): Promise<string> =>
  (await create(careTeam, token)).data!.createPatient.id;

const setTeam = (id: string, careTeam: string[] | null, token: string, expectedVersion = 1): Promise<Answer> =>
  system.post(
    'mutation ($input: UpdatePatientInput!) { updatePatient(input: $input) { careTeam } }',
    { input: { id, expectedVersion, careTeam } },
    token,
  );
const assign = async (patientId: string, careTeam: string[] | null, role: Role = Role.ADMIN): Promise<Answer> =>
  system.post(
    'mutation ($input: AssignCareTeamInput!) { assignCareTeam(input: $input) { patientId } }',
    { input: { patientId, careTeam } },
    await system.token(role),
  );
const seen = async (id: string, token: string): Promise<(string | undefined)[]> =>
  codesOf(await system.post(`{ patient(id: "${id}") { id } }`, undefined, token));
const disable = (id: string, disabled: boolean): Promise<unknown> =>
  asAdmin(system, updateUserMutation, { input: { id, disabled } });

describe('the names of a care team', () => {
  // Shows: owasp/allowed-values
  test.each<[string, () => Promise<string>]>([
    ['is unknown', async () => 'no-such-user'],
    ['is of another organization', async () => (await createUser(system, { organization: 'beta' })).username],
    ['is no clinician', async () => (await createUser(system, { role: 'ADMIN' })).username],
    [
      'is disabled',
      async () => {
        const { id, username } = await createUser(system);
        await disable(id, true);
        return username;
      },
    ],
  ])('are refused when one %s', async (_name, other) => {
    const name = await other();
    const id = await created(null);
    const answers = [
      await create(['ada', name]),
      await setTeam(id, ['ada', name], ada),
      await assign(id, ['ada', name]),
    ];
    for (const { errors } of answers) {
      expect(errors![0]!.extensions).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ path: 'careTeam[1]' }] });
      expect(errors![0]!.message).not.toContain(name);
    }
    expect(await seen(id, bob)).toEqual([]);
  });

  test('are accepted in any spelling, and stored in the form of usernames, each once', async () => {
    const id = await created([' ADA ', 'Bob', 'ada']);
    expect((await models.patients.findById(id).lean())!.careTeam).toEqual(['ada', 'bob']);
    expect(await seen(id, bob)).toEqual([]);
  });

  test('may keep a member who was disabled since', async () => {
    const { id: userId, username } = await createUser(system);
    const id = await created(['ada', username]);
    await disable(userId, true);
    expect((await setTeam(id, ['ada', username, 'bob'], ada)).errors).toBeUndefined();
  });
});

describe('a patient whom all clinicians could see', () => {
  // Shows: 164.312(b)
  test('is taken by a clinician, and the event is flagged', async () => {
    const id = await created(null, bob);
    await setTeam(id, ['ada'], ada);
    expect(await seen(id, bob)).toEqual(['FORBIDDEN']);
    const writes = (await eventsOf(id, 'ada')).filter(({ action }) => action === 'patient:write');
    expect(writes).toMatchObject([{ outcome: 'ALLOWED', flagged: true }]);
  });

  test('is changed in another way, and the event is not flagged', async () => {
    const id = await created(null, bob);
    await system.post(
      `mutation { updatePatient(input: { id: "${id}", expectedVersion: 1, givenName: "New" }) { id } }`,
      undefined,
      ada,
    );
    const writes = (await eventsOf(id, 'ada')).filter(({ action }) => action === 'patient:write');
    expect(writes).toMatchObject([{ outcome: 'ALLOWED', flagged: false }]);
  });
});

describe('handing a patient over', () => {
  // Shows: 164.312(a)(2)(ii), 164.312(b)
  test('is for ADMIN, who sees nothing of the patient; it is flagged', async () => {
    const id = await created(['ada']);
    expect((await assign(id, ['bob'])).data).toEqual({ assignCareTeam: { patientId: id } });
    const payload = buildBareSchema(system.app).getType('AssignCareTeamPayload') as GraphQLObjectType;
    expect(Object.keys(payload.getFields())).toEqual(['patientId']);
    expect([await seen(id, ada), await seen(id, bob)]).toEqual([['FORBIDDEN'], []]);
    expect(await seen(id, await system.token(Role.ADMIN))).toEqual(['FORBIDDEN']);
    expect(await eventsOf(id, 'the-admin')).toMatchObject([
      { action: 'care-team:assign', outcome: 'ALLOWED', flagged: true },
    ]);
    expect((await setTeam(id, ['bob', 'ada'], bob, 1)).errors![0]!.extensions!.code).toBe('CONFLICT');
  });

  test('opens the patient to every clinician when no team is named', async () => {
    const id = await created(['ada']);
    await assign(id, null);
    expect(await seen(id, bob)).toEqual([]);
  });

  test('changes nothing when the team is left out', async () => {
    const id = await created(['ada']);
    const answer = await system.post(
      'mutation ($id: ID!) { assignCareTeam(input: { patientId: $id }) { patientId } }',
      { id },
      await system.token(Role.ADMIN),
    );
    expect(answer.errors![0]!.extensions).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ path: 'careTeam' }] });
    expect(await seen(id, bob)).toEqual(['FORBIDDEN']);
  });

  // Shows: owasp/authorization
  test.each([Role.CLINICIAN, Role.ANALYST, Role.SERVICE])('is FORBIDDEN to %s', async (role) => {
    const id = await created(['ada']);
    expect(codesOf(await assign(id, ['bob'], role))).toEqual(['FORBIDDEN']);
    expect(await seen(id, bob)).toEqual(['FORBIDDEN']);
  });

  // Shows: owasp/idor
  test('finds no patient of another organization, and none that does not exist', async () => {
    const foreign = new Types.ObjectId();
    await models.patients.collection.insertOne({
      ...(await models.patients
        .findById(await created(['ada']))
        .lean()
        .orFail()),
      _id: foreign,
      mrnIndex: 'another',
      organization: new Types.ObjectId(await system.organizationId('beta')),
    });
    for (const id of [foreign.toHexString(), 'aaaaaaaaaaaaaaaaaaaaaaaa', 'not-an-id'])
      expect(codesOf(await assign(id, null))).toEqual(['NOT_FOUND']);
    expect((await models.patients.findById(foreign).lean())!.careTeam).toEqual(['ada']);
  });
});

describe('a care team whose last enabled clinician leaves', () => {
  async function teamOf(...names: string[]): Promise<string> {
    const id = await created(['ada', ...names]);
    await assign(id, names);
    return id;
  }

  // Shows: 164.312(a)(2)(ii)
  test.each<[string, object, object]>([
    ['is disabled', { disabled: true }, { disabled: false }],
    ['gets another role', { role: Role.ANALYST }, { role: Role.CLINICIAN }],
  ])('is open again when the clinician %s, until the clinician is back', async (_name, away, back) => {
    const [first, second] = [await createUser(system), await createUser(system)];
    const alone = await teamOf(first.username);
    const both = await teamOf(first.username, second.username);
    expect([await seen(alone, bob), await seen(both, bob)]).toEqual([['FORBIDDEN'], ['FORBIDDEN']]);
    await asAdmin(system, updateUserMutation, { input: { id: first.id, ...away } });
    expect([await seen(alone, bob), await seen(both, bob)]).toEqual([[], ['FORBIDDEN']]);
    await disable(second.id, true);
    expect(await seen(both, bob)).toEqual([]);
    await asAdmin(system, updateUserMutation, { input: { id: first.id, ...back } });
    expect([await seen(alone, bob), await seen(both, bob)]).toEqual([['FORBIDDEN'], ['FORBIDDEN']]);
  });

  test('does not come back over a team that was given since', async () => {
    const { id: userId, username } = await createUser(system);
    const [taken, opened] = [await teamOf(username), await teamOf(username)];
    await disable(userId, true);
    const { version } = (await models.patients.findById(taken).lean())!;
    expect((await setTeam(taken, ['bob'], bob, version)).errors).toBeUndefined();
    await assign(opened, null);
    await disable(userId, false);
    expect((await models.patients.findById(taken).lean())!.careTeam).toEqual(['bob']);
    expect(await seen(opened, ada)).toEqual([]);
  });

  // Shows: 164.312(b)
  test('is opened by an event of the audit trail: the change of the clinician', async () => {
    const { id, username } = await createUser(system);
    const patientId = await teamOf(username);
    const eventsOfUser = () => models.auditEvents.find({ 'subject.id': id }).sort({ sequence: 1 }).lean<AuditEvent[]>();
    const before = (await eventsOfUser()).length;
    await disable(id, true);
    expect(await seen(patientId, bob)).toEqual([]);
    expect((await eventsOfUser()).slice(before)).toMatchObject([{ action: 'user:manage', outcome: 'ALLOWED' }]);
  });
});
