import { describe, expect, test, vi } from 'vitest';
import { cells, cohortDoors, csv, features, header, type CohortAnswer } from '../support/cohorts.js';
import { modelId } from '../support/heart-disease.js';
import { createUser, login } from '../support/identity.js';
import { ended, patient } from '../support/scenario.js';

const { system, client, token, send, results } = await cohortDoors();
const { models } = system.app;

const fieldsOf = ({ errors }: CohortAnswer): string[] =>
  (errors?.[0]?.extensions?.fields ?? []).map(({ path, message }) => `${path}: ${message}`);

const featuresOf = async (mrn: string): Promise<Record<string, number>> => {
  const { data } = await system.post<{ patient: { features: { code: string; value: number }[] } }>(
    'query ($mrn: String!) { patient(mrn: $mrn) { features { code value } } }',
    { mrn },
    token,
  );
  return Object.fromEntries(data!.patient.features.map(({ code, value }) => [code, value]));
};

describe('a cohort', () => {
  test('as CSV is stored and scored, and its results come back in the order of its lines', async () => {
    const answer = await send(csv('ROUND', 2_500));
    expect(answer).toMatchObject({ status: 202, patients: 2_500, created: 2_500, updated: 0, unchanged: 0 });
    expect((await ended(client, answer.jobId!)).state).toBe('COMPLETED');
    const lines = await results(answer.jobId!, '?mrn=true');
    expect(lines.map(({ row }) => row)).toEqual(Array.from({ length: 2_500 }, (_unused, index) => index + 1));
    expect(lines.map(({ mrn }) => mrn)).toEqual(lines.map(({ row }) => `ROUND-${row}`));
    const again = await send(csv('ROUND', 2_500));
    expect(again).toMatchObject({ status: 202, created: 0, updated: 0, unchanged: 2_500 });
    expect(again.jobId).not.toBe(answer.jobId);
    await ended(client, again.jobId!);
  });

  test('has the same results as the GraphQL API', async () => {
    const { jobId } = await send(csv('SAME', 3));
    await ended(client, jobId!);
    const lines = await results(jobId!);
    const { data } = await system.post<{
      scoringJob: {
        predictions: {
          edges: {
            node: {
              id: string;
              value: number;
              inputs: { code: string; value: number | null }[];
              explanation: {
                baseValue: number;
                outputValue: number;
                contributions: { feature: { code: string }; value: number }[];
              };
            };
          }[];
        };
      };
    }>(
      `{ scoringJob(id: "${jobId!}") { predictions { edges { node { id value inputs { code value }
         explanation { baseValue outputValue contributions { feature { code } value } } } } } } }`,
      undefined,
      token,
    );
    const byId = new Map(data!.scoringJob.predictions.edges.map(({ node }) => [node.id, node]));
    for (const { prediction } of lines) {
      const { value, inputs, explanation } = byId.get(prediction!.id)!;
      expect(prediction).toMatchObject({
        value,
        inputs: Object.fromEntries(inputs.map((input) => [input.code, input.value])),
        explanation: {
          baseValue: explanation.baseValue,
          outputValue: explanation.outputValue,
          contributions: Object.fromEntries(explanation.contributions.map((part) => [part.feature.code, part.value])),
        },
      });
    }
  });

  test('as NDJSON may have names, and says its progress to a client that accepts it', async () => {
    const lines = [1, 2].map((number) =>
      JSON.stringify({ mrn: `LINES-${number}`, givenName: 'Ida', birthDate: '1956-02-14', features }),
    );
    const response = await fetch(`${system.url}/cohorts?modelId=${modelId}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-ndjson',
        accept: 'application/x-ndjson',
        authorization: `Bearer ${token}`,
      },
      body: `${lines.join('\n')}\n`,
    });
    const told = (await response.text()).trim().split('\n');
    expect(told.map((line) => JSON.parse(line) as object)).toMatchObject([
      { stored: 0 },
      { stored: 2 },
      { patients: 2, created: 2 },
    ]);
    const { data } = await system.post('{ patient(mrn: "LINES-2") { givenName birthDate } }', undefined, token);
    expect(data).toEqual({ patient: { givenName: 'Ida', birthDate: '1956-02-14' } });
  });

  test('leaves a stored value where its cell is empty, and removes it with clearEmpty', async () => {
    await patient(client, { mrn: 'EMPTY-1', features: [{ code: 'cholesterol', value: 289 }] });
    const kept = await send('mrn,age,cholesterol\nEMPTY-1,63,\n');
    expect(kept).toMatchObject({ status: 202, updated: 1 });
    await ended(client, kept.jobId!);
    expect(await featuresOf('EMPTY-1')).toEqual({ age: 63, cholesterol: 289 });
    const cleared = await send('mrn,age,cholesterol\nEMPTY-1,63,\n', { query: '&clearEmpty=true' });
    expect(cleared).toMatchObject({ updated: 1 });
    expect(await featuresOf('EMPTY-1')).toEqual({ age: 63 });
    await ended(client, cleared.jobId!);
  });

  test('with an issue in any line stores nothing, and names all lines', async () => {
    const before = await system.counts();
    const bad = await send(
      `${header}\n${Array.from({ length: 1_500 }, (_unused, index) => `BAD-${index},${cells}`).join('\n')}\n` +
        `BAD-7,${cells}\n,${cells}\nBAD-x,1\n`,
    );
    expect(bad.status).toBe(400);
    expect(fieldsOf(bad)).toEqual([
      'lines[1503].mrn: is empty',
      `lines[1504]: has 2 cells, and the header has ${features.length + 1}`,
      'lines[1502].mrn: is the same MRN as in line 9: give each patient once',
    ]);
    const outside = await send('mrn,age,cholesterol\nBAD-1,63,5000\n');
    expect(fieldsOf(outside)).toEqual(['lines[2].cholesterol: cholesterol must be between 50 and 1000 mg/dL']);
    const json = await send('{"mrn":"BAD-1","features":[{"code":"age","value":"x"}]}\n[1]\n{"mrn"\n', {
      type: 'application/x-ndjson',
    });
    expect(fieldsOf(json).map((field) => field.split(':')[0])).toEqual(['lines[2]', 'lines[3]', 'lines[1].age']);
    const types = await send(
      '{"mrn":"BAD-1","sex":"Z","birthDate":1,"careTeam":"anna"}\n{"mrn":"BAD-2","features":{"age":1}}\n',
      { type: 'application/x-ndjson' },
    );
    expect(fieldsOf(types).sort()).toEqual([
      'lines[1].birthDate: must be a text',
      'lines[1].careTeam: must be a list',
      'lines[1].sex: must be a value of the enum AdministrativeGender: MALE, FEMALE, OTHER, UNKNOWN',
      'lines[2].features: must be a list',
    ]);
    const misspelt = await send('{"mrn":"BAD-1","feature":[]}\n', { type: 'application/x-ndjson' });
    expect(fieldsOf(misspelt)).toEqual(['lines[1]: has a field feature, which no patient has']);
    expect(await send(Buffer.from('mrn,age\nL\u00e4,63\n', 'latin1'))).toMatchObject({
      status: 400,
      errors: [{ message: expect.stringContaining('lines[2]: column 2 is not valid UTF-8') as string }],
    });
    expect(await send('')).toMatchObject({ status: 400 });
    expect(await send('mrn,age\nA,1\n', { query: '&modelVersion=9.9.9' })).toMatchObject({ status: 404 });
    expect(await send('mrn,age\nA,1\n', { query: '&surprise=1' })).toMatchObject({ status: 400 });
    expect(await system.counts()).toEqual(before);
  });

  test('with the same idempotency key and content gives the same job, and with other content is refused', async () => {
    const headers = { 'idempotency-key': 'ward-7' };
    const first = await send(csv('KEY', 2), { headers });
    const second = await send(csv('KEY', 2), { headers });
    expect([second.status, second.jobId]).toEqual([202, first.jobId]);
    await ended(client, first.jobId!);
    expect(await send(csv('KEY', 3), { headers })).toMatchObject({
      status: 409,
      errors: [{ extensions: { code: 'CONFLICT' } }],
    });
  });

  test('is recorded in groups, before anything is stored or shown', async () => {
    const organization = await system.organizationId();
    const since = new Date();
    const { jobId } = await send(csv('AUDIT', 1_200));
    await ended(client, jobId!);
    await results(jobId!);
    const events = await models.auditEvents.find({ organization, occurredAt: { $gte: since } }).sort({ sequence: 1 });
    const of = (action: string): number[] =>
      events.filter((event) => event.action === action).map(({ patients }) => patients.length);
    expect(of('patient:write')).toEqual([1_000, 200]);
    expect(of('job:submit')).toEqual([0]);
    expect(of('prediction:read').reduce((sum, count) => sum + count, 0)).toBe(1_200);
  });

  test('of a patient who is closed to the caller is refused whole, and the denial is recorded', async () => {
    const ada = await createUser(system, { username: 'ada-cohort', role: 'CLINICIAN' });
    const hers = (await login(system, ada)).accessToken;
    const { data } = await system.post<{ createPatient: { id: string } }>(
      'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id } }',
      { input: { mrn: 'CLOSED-2', careTeam: ['ada-cohort'], features } },
      hers,
    );
    const before = await system.counts();
    const answer = await send(csv('CLOSED', 3));
    expect(answer.status).toBe(400);
    expect(fieldsOf(answer)).toEqual([
      'lines[3]: You are not in the care team of this patient: ask to be added to it, or call breakGlass with a reason.',
    ]);
    expect(await system.counts()).toEqual(before);
    const { id } = data!.createPatient;
    expect(
      await models.auditEvents.exists({ patients: id, outcome: 'DENIED', username: 'the-clinician' }),
    ).not.toBeNull();
    const job = await send(csv('CLOSED', 3), { as: hers });
    await ended(client, job.jobId!);
    expect((await results(job.jobId!, '', hers)).map(({ row }) => row)).toEqual([1, 2, 3]);
    expect((await results(job.jobId!)).map(({ row }) => row)).toEqual([1, 3]);
  });
});

test('a fault before the caller is known is a fault of the server, and no refusal', async () => {
  vi.spyOn(system.app.identity.authenticator, 'authenticate').mockRejectedValueOnce(new Error('a fault'));
  const response = await fetch(`${system.url}/cohorts`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'text/csv' },
    body: csv('FAULT', 1),
  });
  const { errors } = (await response.json()) as { errors: { extensions: { code: string; correlationId?: string } }[] };
  expect([response.status, errors[0]!.extensions.code]).toEqual([500, 'INTERNAL']);
  expect(errors[0]!.extensions.correlationId).toBeDefined();
});
