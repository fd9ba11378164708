import { gzipSync } from 'node:zlib';
import { connect } from 'node:net';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ResponseError } from '../../src/client/errors.js';
import { createUser, login } from '../support/identity.js';
import { goldenFeatures, modelId } from '../support/heart-disease.js';
import { ended, patient } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ environment: { COHORT_PATIENTS: '3000', COHORT_MEGABYTES: '2' } });
const client = await system.client('CLINICIAN');
const token = await system.token('CLINICIAN');
const { models } = system.app;

const features = goldenFeatures(0);
const header = `mrn,${features.map(({ code }) => code).join()}`;
const cells = features.map(({ value }) => value).join();
const csv = (prefix: string, count: number): string =>
  [header, ...Array.from({ length: count }, (_unused, index) => `${prefix}-${index + 1},${cells}`)].join('\n');

interface CohortAnswer {
  readonly status: number;
  readonly jobId?: string;
  readonly patients?: number;
  readonly created?: number;
  readonly updated?: number;
  readonly unchanged?: number;
  readonly errors?: readonly ResponseError[];
}

async function send(
  body: NonNullable<RequestInit['body']>,
  {
    type = 'text/csv',
    query = '',
    headers = {},
    as = token,
  }: { type?: string; query?: string; headers?: Record<string, string>; as?: string } = {},
): Promise<CohortAnswer> {
  const response = await fetch(`${system.url}/cohorts?modelId=${modelId}${query}`, {
    method: 'POST',
    headers: { 'content-type': type, ...(as && { authorization: `Bearer ${as}` }), ...headers },
    body,
  });
  return { status: response.status, ...((await response.json()) as object) };
}

const fieldsOf = ({ errors }: CohortAnswer): string[] =>
  (errors?.[0]?.extensions?.fields ?? []).map(({ path, message }) => `${path}: ${message}`);

interface Line {
  readonly row: number;
  readonly patientId: string;
  readonly mrn?: string | null;
  readonly prediction?: {
    id: string;
    value: number;
    inputs: Record<string, number | null>;
    explanation: object | null;
  };
  readonly failure?: { code: string; message: string };
}

async function results(jobId: string, query = '', as = token): Promise<Line[]> {
  const response = await fetch(`${system.url}/jobs/${jobId}/predictions.ndjson${query}`, {
    headers: { authorization: `Bearer ${as}` },
  });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return text
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

async function refusal(jobId: string, query = '', as = token): Promise<{ status: number; code: string | undefined }> {
  const response = await fetch(`${system.url}/jobs/${jobId}/predictions.ndjson${query}`, {
    headers: as ? { authorization: `Bearer ${as}` } : {},
  });
  const { errors } = (await response.json()) as { errors: ResponseError[] };
  return { status: response.status, code: errors[0]!.extensions?.code };
}

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

describe('the results of a batch', () => {
  test('go on behind a row, with failures in their places', async () => {
    const { jobId } = await send(`mrn,age,sex,chest_pain_type\nF-1,63,1,4\nF-2,63,1,\nF-3,63,1,4\n`);
    await ended(client, jobId!);
    const lines = await results(jobId!);
    expect(lines.map(({ row, prediction, failure }) => [row, prediction !== undefined, failure?.code])).toEqual([
      [1, true, undefined],
      [2, false, 'BAD_USER_INPUT'],
      [3, true, undefined],
    ]);
    expect(lines[1]!.failure!.message).toContain('chest_pain_type');
    for (const after of [0, 1, 2, 3])
      expect((await results(jobId!, `?after=${after}`)).map(({ row }) => row)).toEqual([1, 2, 3].slice(after));
  });

  test('are for those who may read predictions of the organization, and MRNs for those who may see names', async () => {
    const { jobId } = await send(csv('RIGHTS', 1));
    await ended(client, jobId!);
    expect(await refusal(jobId!, '', '')).toEqual({ status: 401, code: 'UNAUTHENTICATED' });
    expect(await refusal(jobId!, '', await system.token('ADMIN'))).toEqual({ status: 403, code: 'FORBIDDEN' });
    expect(await refusal(jobId!, '', await system.token('CLINICIAN', 'beta'))).toEqual({
      status: 404,
      code: 'NOT_FOUND',
    });
    const analyst = await system.token('ANALYST');
    expect(await refusal(jobId!, '?mrn=true', analyst)).toEqual({ status: 403, code: 'FORBIDDEN' });
    const [line] = await results(jobId!, '', analyst);
    expect(line!.mrn).toBeUndefined();
    expect(Number.isInteger(line!.prediction!.inputs.age)).toBe(true);
    expect(await refusal('not-an-id')).toEqual({ status: 404, code: 'NOT_FOUND' });
    expect(await refusal(jobId!, '?after=-1')).toEqual({ status: 400, code: 'BAD_USER_INPUT' });
  });

  test('show no explanation that was damaged in the database', async () => {
    const { jobId } = await send(csv('DAMAGED', 1));
    await ended(client, jobId!);
    await models.predictionBlocks.updateOne({ job: jobId }, { $inc: { 'explanation.baseValue': 0.1 } });
    expect((await results(jobId!))[0]!.prediction!.explanation).toBeNull();
  });

  test('leave out a patient that was deleted', async () => {
    const { jobId } = await send(csv('GONE', 3));
    await ended(client, jobId!);
    const [, second] = await results(jobId!);
    await system.post(`mutation { deletePatient(id: "${second!.patientId}") { id } }`, undefined, token);
    expect((await results(jobId!)).map(({ row }) => row)).toEqual([1, 3]);
  });
});

describe('a hostile cohort', () => {
  test.each<[string, RequestInit & { query?: string }, number, string]>([
    [
      'is compressed',
      { headers: { 'content-encoding': 'gzip' }, body: gzipSync(csv('GZIP', 1)) },
      400,
      'content-encoding',
    ],
    [
      'is JSON',
      { headers: { 'content-type': 'application/json' }, body: '{"query":"{ viewer { role } }"}' },
      400,
      'content-type',
    ],
    ['is a form', { headers: { 'content-type': 'text/plain' }, body: csv('FORM', 1) }, 400, 'content-type'],
    ['has a line without an end', { body: `${header}\n${'x'.repeat(1024 * 1024)}` }, 400, 'lines[2]'],
    ['has too many lines', { body: csv('MANY', 3_001) }, 400, 'more than 3000 patients'],
    ['is too large', { body: 'x'.repeat(3 * 1024 * 1024) }, 413, 'larger than 2097152 bytes'],
  ])('that %s is refused, and nothing is stored', async (_name, { headers, body }, status, message) => {
    const before = await system.counts();
    const answer = await send(body!, { headers: headers as Record<string, string> });
    expect(answer.status).toBe(status);
    expect(answer.errors![0]!.message).toContain(message);
    expect(await system.counts()).toEqual(before);
  });

  test('without end is cut off at the most bytes, and leaves no file', async () => {
    const before = await system.counts();
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        yield Buffer.from(`A-${sent},1\n`.repeat(1_000));
        sent += 1;
      }
    }
    const body = ReadableStream.from(endless());
    const outcome = await fetch(`${system.url}/cohorts?modelId=${modelId}`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv', authorization: `Bearer ${token}` },
      body,
      duplex: 'half',
    } as RequestInit).then(
      ({ status }) => status,
      () => 'cut off',
    );
    expect([413, 'cut off']).toContain(outcome);
    expect(await system.counts()).toEqual(before);
    expect(readdirSync(tmpdir()).filter((name) => /^riskgraph-[0-9a-f]{8}-/.test(name))).toEqual([]);
  });

  test('of a caller without a credential is refused before its body is read', async () => {
    const socket = connect(Number(new URL(system.url).port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.write(
      'POST /cohorts?modelId=x HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
    expect(answer.toLowerCase()).toContain('connection: close');
  });

  test('does not take more places than a user has, and gives them back', async () => {
    const held = await Promise.all(
      [1, 2].map(
        () =>
          new Promise<ReturnType<typeof connect>>((resolve) => {
            const socket = connect(Number(new URL(system.url).port), '127.0.0.1', () => {
              socket.write(
                `POST /cohorts?modelId=${modelId} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n` +
                  'Content-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nmrn\r\n',
              );
              resolve(socket);
            });
            socket.on('error', () => undefined);
          }),
      ),
    );
    await expect.poll(async () => (await send(csv('PLACE', 1))).status).toBe(429);
    held.forEach((socket) => socket.destroy());
    await expect.poll(async () => (await send(csv('PLACE', 1))).status).toBe(202);
  });
});

test('a client that stops reading goes on later behind its last row', async () => {
  const { jobId } = await send(csv('UNREAD', 3_000));
  await ended(client, jobId!);
  const controller = new AbortController();
  const response = await fetch(`${system.url}/jobs/${jobId!}/predictions.ndjson`, {
    headers: { authorization: `Bearer ${token}` },
    signal: controller.signal,
  });
  const first = Buffer.from((await response.body!.getReader().read()).value!).toString('utf8');
  controller.abort();
  const { row } = JSON.parse(first.split('\n').slice(0, -1).at(-1)!) as Line;
  const rest = await results(jobId!, `?after=${row}`);
  expect(rest[0]!.row).toBe(row + 1);
  expect(rest.at(-1)!.row).toBe(3_000);
});
