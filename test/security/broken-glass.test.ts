/** Covers src/patients/break-glass.ts, src/patients/care-team-fence.ts. */
// Threat: a clinician breaks the glass without a record, or gets access to more than one patient for a limited time.

import { beforeEach, describe, expect, test } from 'vitest';
import { pino } from 'pino';
import { careTeams, type ScoredPatient } from '../support/care-team.js';
import { modelId } from '../support/heart-disease.js';
import { sameDatabases } from '../support/identity.js';
import { connectSocket } from '../support/raw-socket.js';
import { patient } from '../support/scenario.js';
import { codesOf, startSystem, type Answer } from '../support/system.js';

const system = await startSystem();
const { models } = system.app;
const { clinician, eventsOf, endBreakGlass, ...given } = careTeams(system);
const [ada, bob] = await Promise.all([clinician('ada'), clinician('bob')]);
const patientOf = (careTeam: string[] | null): Promise<ScoredPatient> => given.patientOf(careTeam, ada);
const breakGlass = (by: string, token = bob, reason?: string): Promise<Answer> => given.breakGlass(by, token, reason);

let hers: ScoredPatient;
beforeEach(async () => {
  hers = await patientOf(['ada']);
});

describe('breaking the glass', () => {
  // Shows: 164.312(a)(2)(ii)
  test.each<[string, (of: ScoredPatient) => string]>([
    ['by id', ({ id }) => `patientId: "${id}"`],
    ['by MRN', ({ mrn }) => `mrn: "${mrn}"`],
  ])('%s makes the patient visible, and every later read is flagged', async (_name, by) => {
    expect(await breakGlass(by(hers))).toMatchObject({ data: { breakGlass: { patientId: hers.id, username: 'bob' } } });
    const { data } = await system.post(
      /* GraphQL */ `
        {
          patient(id: "${hers.id}") {
            givenName
            predictions {
              totalCount
            }
          }
          prediction(id: "${hers.predictionId}") {
            id
          }
        }
      `,
      undefined,
      bob,
    );
    expect(data).toEqual({
      patient: { givenName: 'Canary', predictions: { totalCount: 1 } },
      prediction: { id: hers.predictionId },
    });
    const events = await eventsOf(hers.id, 'bob');
    expect(events[0]).toMatchObject({ action: 'patient:break-glass', outcome: 'ALLOWED', flagged: true });
    expect(events.map(({ action }) => action)).toEqual(expect.arrayContaining(['patient:read', 'prediction:read']));
    expect(events.every(({ flagged }) => flagged)).toBe(true);
    expect((await eventsOf(hers.id, 'ada')).every(({ flagged }) => !flagged)).toBe(true);
  });

  test('makes nothing visible to another colleague', async () => {
    await breakGlass(`patientId: "${hers.id}"`);
    expect(
      codesOf(await system.post(`{ patient(id: "${hers.id}") { id } }`, undefined, await clinician('eve'))),
    ).toEqual(['FORBIDDEN']);
  });

  // Shows: 164.312(a)(2)(ii)
  test('ends when its time is over', async () => {
    await breakGlass(`patientId: "${hers.id}"`);
    await endBreakGlass(hers.id);
    expect(codesOf(await system.post(`{ patient(id: "${hers.id}") { id } }`, undefined, bob))).toEqual(['FORBIDDEN']);
    expect(await breakGlass(`patientId: "${hers.id}"`)).toMatchObject({ data: { breakGlass: { patientId: hers.id } } });
  });

  // Shows: 164.312(a)(2)(ii)
  test('ends when its time is over, also for a running subscription', async () => {
    await breakGlass(`patientId: "${hers.id}"`);
    const socket = await connectSocket(system.url, bob);
    socket.send({
      type: 'subscribe',
      id: '1',
      payload: { query: 'subscription { predictionCreated { patient { id givenName } } }' },
    });
    await expect
      .poll(async () => (await fetch(`${system.url}/metrics`)).text())
      .toContain('riskgraph_subscriptions{kind="predictionCreated"} 1');
    const scoreOnce = async (id: string): Promise<void> => {
      const before = await models.predictions.countDocuments({ patient: id });
      await system.post(
        `mutation { submitScoringJob(input: { patientId: "${id}", modelId: "${modelId}" }) { id } }`,
        undefined,
        ada,
      );
      await expect.poll(() => models.predictions.countDocuments({ patient: id })).toBe(before + 1);
    };
    await scoreOnce(hers.id);
    expect(await socket.next()).toMatchObject({
      type: 'next',
      payload: { data: { predictionCreated: { patient: { id: hers.id, givenName: 'Canary' } } } },
    });
    await endBreakGlass(hers.id);
    const seen = (await eventsOf(hers.id, 'bob')).length;
    await scoreOnce(hers.id);
    const open = await patientOf(null);
    expect(await socket.next()).toMatchObject({
      type: 'next',
      payload: { data: { predictionCreated: { patient: { id: open.id } } } },
    });
    expect(await eventsOf(hers.id, 'bob')).toHaveLength(seen);
  });

  test('adds no clinician to the care team', async () => {
    await breakGlass(`patientId: "${hers.id}"`);
    for (const careTeam of ['["ada", "bob"]', 'null']) {
      expect(
        codesOf(
          await system.post(
            `mutation { updatePatient(input: { id: "${hers.id}", expectedVersion: 1, careTeam: ${careTeam} }) { id } }`,
            undefined,
            bob,
          ),
        ),
      ).toEqual(['FORBIDDEN']);
    }
  });

  // Shows: 164.312(a)(2)(ii)
  test('allows reading and treating, but not erasing the patient', async () => {
    await breakGlass(`patientId: "${hers.id}"`);
    const answer = await system.post(`mutation { deletePatient(id: "${hers.id}") { id } }`, undefined, bob);
    expect(codesOf(answer)).toEqual(['FORBIDDEN']);
    expect(answer.errors![0]!.message).toContain('care team');
    expect((await eventsOf(hers.id, 'bob')).at(-1)).toMatchObject({
      action: 'patient:delete',
      outcome: 'DENIED',
      flagged: true,
    });
    expect((await system.post(`{ prediction(id: "${hers.predictionId}") { id } }`, undefined, ada)).data).toEqual({
      prediction: { id: hers.predictionId },
    });
    expect((await system.post(`mutation { deletePatient(id: "${hers.id}") { id } }`, undefined, ada)).data).toEqual({
      deletePatient: { id: hers.id },
    });
  });

  // Shows: 164.312(a)(2)(ii), 164.312(c)(1)
  test.each<[string, string]>([
    ['the MRN', 'mrn: "other"'],
    ['a name', 'givenName: "Other"'],
    ['a name, by removing it', 'familyName: null'],
    ['the birth date', 'birthDate: "1950-01-02"'],
    ['the sex', 'sex: MALE'],
    ['the care team', 'careTeam: ["bob"]'],
    ['a value, by removing it', 'features: [{ code: "cholesterol", value: null }]'],
  ])('does not change %s', async (_name, change) => {
    await breakGlass(`patientId: "${hers.id}"`);
    const before = await models.patients.findById(hers.id).lean();
    const answer = await system.post(
      `mutation { updatePatient(input: { id: "${hers.id}", expectedVersion: 1, ${change} }) { id } }`,
      undefined,
      bob,
    );
    expect(codesOf(answer)).toEqual(['FORBIDDEN']);
    expect(answer.errors![0]!.message).toContain('care team');
    expect(await models.patients.findById(hers.id).lean()).toEqual(before);
    expect((await eventsOf(hers.id, 'bob')).at(-1)).toMatchObject({
      action: 'patient:write',
      outcome: 'DENIED',
      flagged: true,
    });
  });

  // Shows: 164.312(a)(2)(ii)
  test('records a new value, and the event is flagged', async () => {
    await breakGlass(`patientId: "${hers.id}"`);
    const answer = await system.post(
      `mutation { updatePatient(input: {
        id: "${hers.id}", expectedVersion: 1, features: [{ code: "cholesterol", value: 240 }]
      }) { version } }`,
      undefined,
      bob,
    );
    expect(answer.data).toEqual({ updatePatient: { version: 2 } });
    expect((await eventsOf(hers.id, 'bob')).filter(({ action }) => action === 'patient:write')).toMatchObject([
      { outcome: 'ALLOWED', flagged: true },
    ]);
  });

  // Shows: 164.312(a)(2)(ii)
  test.each<[string, string]>([
    ['zero-width characters', '\u200b'.repeat(40)],
    ['fillers', '\u3164\u115f\uffa0\u2800'.repeat(10)],
    ['spaces and marks of direction', ' \u202e\u2066\u00ad'.repeat(20)],
    ['points', '.'.repeat(40)],
    ['a short word, stretched by invisible characters', 'help\u200b\u200b\u200b\u200b\u200b\u200b\u200b'],
  ])('needs a reason that a reviewer can read: %s', async (_name, reason) => {
    const answer = await breakGlass(`patientId: "${hers.id}"`, bob, reason);
    expect(answer.errors![0]!.extensions).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ path: 'reason' }] });
  });

  // Shows: 164.312(a)(2)(ii)
  test('needs a reason and exactly one patient, who must be closed to the caller', async () => {
    expect((await breakGlass(`patientId: "${hers.id}"`, bob, 'because')).errors![0]!.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ path: 'reason' }],
    });
    expect(codesOf(await breakGlass(`patientId: "${hers.id}", mrn: "${hers.mrn}"`))).toEqual(['BAD_USER_INPUT']);
    expect(codesOf(await breakGlass('patientId: "aaaaaaaaaaaaaaaaaaaaaaaa"'))).toEqual(['NOT_FOUND']);
    expect(codesOf(await breakGlass(`patientId: "${hers.id}"`, ada))).toEqual(['CONFLICT']);
  });

  // Shows: 164.312(a)(2)(ii)
  test('is shown to ADMIN in the audit trail, with the reason', async () => {
    await breakGlass(`patientId: "${hers.id}"`, bob, 'Reason number seventeen');
    const { data } = await system.post<{
      breakGlassAccesses: { edges: { node: object }[] };
      auditEvents: { totalCount: number };
    }>(
      /* GraphQL */ `
        {
          breakGlassAccesses(first: 1) {
            edges {
              node {
                patientId
                username
                reason
              }
            }
          }
          auditEvents(filter: { flagged: true, username: "bob" }) {
            totalCount
          }
        }
      `,
      undefined,
      await system.token('ADMIN'),
    );
    expect(data!.breakGlassAccesses.edges).toEqual([
      { node: { patientId: hers.id, username: 'bob', reason: 'Reason number seventeen' } },
    ]);
    expect(data!.auditEvents.totalCount).toBeGreaterThan(0);
    expect(await eventsOf(hers.id, 'the-admin')).toMatchObject([{ action: 'audit:read', outcome: 'ALLOWED' }]);
  });

  test('reaches no other organization', async () => {
    const stranger = await system.token('CLINICIAN', 'beta');
    expect(codesOf(await breakGlass(`patientId: "${hers.id}"`, stranger))).toEqual(['NOT_FOUND']);
    expect(codesOf(await breakGlass(`mrn: "${hers.mrn}"`, stranger))).toEqual(['NOT_FOUND']);
  });
});

describe('breaking the glass of many patients', () => {
  // Shows: 164.312(a)(2)(ii), owasp/rate-limits
  test('is limited per clinician and hour, also for requests at the same time', async () => {
    const lines: string[] = [];
    const limited = await startSystem({
      worker: false,
      environment: { ...sameDatabases(system).environment, BREAK_GLASS_PER_HOUR: '3' },
      logger: pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) }),
    });
    const others = careTeams(limited);
    const mallory = await others.clinician('mallory');
    const client = await limited.client('CLINICIAN');
    const ids = await Promise.all(
      Array.from({ length: 8 }, async () => (await patient(client, { careTeam: ['the-clinician'] })).id),
    );
    const answers = await Promise.all(ids.map((id) => others.breakGlass(`patientId: "${id}"`, mallory)));
    const granted = answers.filter(({ errors }) => !errors);
    expect(granted.length).toBeLessThanOrEqual(3);
    // Requests at the same time may all be refused. One after the other, they reach the limit.
    for (const id of ids) await others.breakGlass(`patientId: "${id}"`, mallory);
    const open = await models.breakGlassAccesses.distinct('patient', { username: 'mallory' });
    const closed = ids.find((id) => !open.some((patientId) => patientId.equals(id)))!;
    const refused = await others.breakGlass(`patientId: "${closed}"`, mallory);
    expect(codesOf(refused)).toEqual(['RATE_LIMITED']);
    expect(refused.errors![0]!.extensions!.retryAfterSeconds).toBeGreaterThan(3_000);
    expect(await models.breakGlassAccesses.countDocuments({ username: 'mallory' })).toBe(3);
    expect(await models.patients.countDocuments({ 'breakGlass.username': 'mallory' })).toBe(3);
    expect((await eventsOf(closed, 'mallory')).at(-1)).toMatchObject({
      action: 'patient:break-glass',
      outcome: 'DENIED',
      flagged: true,
    });
    const alerts = lines.map((line) => JSON.parse(line) as { username?: string; msg: string });
    expect(
      alerts.filter(({ username, msg }) => username === 'mallory' && msg.includes('broke the glass')),
    ).toHaveLength(3);
    expect(alerts.some(({ username, msg }) => username === 'mallory' && msg.includes('refused'))).toBe(true);
    expect(lines.join('')).not.toContain('Unconscious');
    const { values } = await limited.app.metrics.breakGlass.get();
    const counts = new Map(values.map(({ labels, value }) => [labels.outcome, value]));
    expect(counts.get('granted')).toBe(3);
    expect(counts.get('refused')).toBeGreaterThan(0);
  });
});
