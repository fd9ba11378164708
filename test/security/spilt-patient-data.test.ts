/** Covers src/process/logger.ts, src/process/open-telemetry.ts, src/jobs/scoring-queue.ts, src/events/event-bus.ts. */
// Threat: data of a patient reaches a place outside the database: the log, Redis, its files, traces, metrics, or callers who
// may not see it. The tests call the whole API with markers in every field of a patient, then search every such place.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildBareSchema } from '../../schema/build-schema.js';
import { startRedis } from '../../src/embedded/embedded-redis.js';
import { createLogger } from '../../src/process/logger.js';
import { modelId, newPatient } from '../support/heart-disease.js';
import { everyCall, selectionOf } from '../support/operations.js';
import { connectSocket } from '../support/raw-socket.js';
import { spansOf, startReceiver } from '../support/receiver.js';
import { monitorRedis } from '../support/redis-monitor.js';
import { ended, patient, submit } from '../support/scenario.js';
import { postBody, startSystem } from '../support/system.js';

const markers = {
  mrn: 'Canarymrn-1',
  givenName: 'Canarygiven',
  familyName: 'Canaryfamily',
  birthDate: '1951-07-23',
  cholesterol: '567.0625',
  reason: 'Canaryreason, as long as it must be',
  idempotencyKey: 'Canarykey',
};
const secrets = [...Object.values(markers).map((marker) => marker.split(',')[0]!)];

const directory = await mkdtemp(join(tmpdir(), 'riskgraph-test-'));
afterAll(() => rm(directory, { recursive: true, force: true }));
const redis = await startRedis(directory);
afterAll(() => redis.stop());

const logLines: string[] = [];
/** The product's own logger at its lowest level, writing into memory. */
const logger = Object.assign(createLogger('trace', 'test'), {
  [pino.symbols.streamSym]: { write: (line: string) => logLines.push(line) },
});
const monitor = await monitorRedis(redis.url);
afterAll(() => monitor.close());
const collector = await startReceiver();
const system = await startSystem({
  logger,
  environment: { REDIS_URL: redis.url, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
});
const schema = buildBareSchema(system.app);
let patientId = '';
let jobId = '';

beforeAll(async () => {
  const client = await system.client('CLINICIAN');
  const values = newPatient({
    mrn: markers.mrn,
    givenName: markers.givenName,
    familyName: markers.familyName,
    birthDate: markers.birthDate,
  });
  const features = [
    ...values.features.filter(({ code }) => !['age', 'cholesterol'].includes(code)),
    { code: 'cholesterol', value: Number(markers.cholesterol) },
  ];
  patientId = (await patient(client, { ...values, features })).id;
  jobId = (await submit(client, { patientId, idempotencyKey: markers.idempotencyKey })).id;
  await ended(client, jobId);
  const batch = await submit(client, { filter: { familyName: markers.familyName } });
  await ended(client, batch.id);
});

/** Runs every operation of the schema, by every role, with the markers in every place that takes a text. */
async function driveEverything(): Promise<void> {
  const candidates = (path: string, type: string): readonly unknown[] => {
    if (type === 'ID') return path.endsWith('modelId') ? [modelId] : [patientId, jobId, markers.mrn];
    if (path.endsWith('birthDate')) return [markers.birthDate, `${markers.birthDate}x`];
    if (type === 'Float') return [Number(markers.cholesterol)];
    return type === 'String' ? Object.values(markers) : [];
  };
  // The erasure of the patient comes last.
  const changes = ['deletePatient', 'updatePatient', 'upsertPatients'];
  const calls = everyCall(schema, candidates, 2).filter(({ field }) => !changes.includes(field));
  for (const role of ['CLINICIAN', 'ADMIN'] as const) {
    const token = await system.token(role);
    const socket = await connectSocket(system.url, token);
    for (const [index, { kind, operation, variables }] of calls.entries()) {
      if (kind !== 'subscription') {
        await system.post(operation, variables, token);
        continue;
      }
      socket.send({ type: 'subscribe', id: String(index), payload: { query: operation, variables } });
      socket.send({ type: 'complete', id: String(index) });
    }
  }
  const token = await system.token('CLINICIAN');
  await system.post(`{ patients(filter: { familyName: "${markers.familyName}" }) { nothing } }`, undefined, token);
  await system.post(`{ patient(mrn: "${markers.mrn}") { id } }`, undefined, 'garbage');
  await system.post(
    /* GraphQL */ `
      mutation {
        updatePatient(input: {id: "${patientId}", expectedVersion: 99, givenName: "${markers.givenName}"}) {
          id
        }
      }
    `,
    undefined,
    token,
  );
  await system.post(
    /* GraphQL */ `
      mutation ($inputs: [UpsertPatientInput!]!) {
        upsertPatients(inputs: $inputs) {
          outcome
          error {
            message
          }
        }
      }
    `,
    {
      inputs: [
        { mrn: markers.mrn, givenName: markers.givenName },
        { mrn: markers.familyName, birthDate: `${markers.birthDate}x` },
      ],
    },
    token,
  );
  await postBody(system.url, `{"query": "${markers.mrn}`, token);
  await fetch(`${system.url}/graphql?query={patient(mrn:"${markers.mrn}"){id}}&x=${markers.givenName}`, {
    headers: { 'apollo-require-preflight': '1', authorization: `Bearer ${token}` },
  });
  await fetch(`${system.url}/${markers.givenName}?${markers.mrn}`);
}

/** Lists the markers that a text holds. */
const spilt = (text: string): string[] => secrets.filter((secret) => text.includes(secret));

test('every operation was called, and its answers held the markers', async () => {
  await driveEverything();
  const answer = await system.post(
    `{ patient(id: "${patientId}") { mrn givenName familyName birthDate features { value } } }`,
    undefined,
    await system.token('CLINICIAN'),
  );
  for (const secret of [markers.mrn, markers.givenName, markers.familyName, markers.birthDate, markers.cholesterol])
    expect(answer.text).toContain(secret);
  expect(logLines.length).toBeGreaterThan(0);
  expect(monitor.commands()).toContain(jobId);
}, 120_000);

// Shows: 164.312(a)(2)(iv)
test('the log holds no patient data', () => {
  expect(logLines.flatMap(spilt)).toEqual([]);
});

// Shows: 164.312(e)(2)(ii)
test('no command to Redis holds patient data', () => {
  expect(spilt(monitor.commands())).toEqual([]);
});

// Shows: 164.312(a)(2)(iv)
test('the files of Redis hold no patient data: neither its snapshot nor its log', async () => {
  const connection = new Redis(redis.url);
  onTestFinished(() => connection.disconnect());
  await connection.config('SET', 'rdbcompression', 'no');
  await connection.save();
  const files = (await readdir(directory, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const names = files.join(' ');
  expect(names).toMatch(/\.rdb/);
  expect(names).toMatch(/\.aof/);
  const contents = (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('\n');
  expect(contents).toContain(system.app.config.redisPrefix);
  expect(spilt(contents)).toEqual([]);
});

// Shows: 164.312(a)(2)(iv)
test('the traces hold no patient data', async () => {
  await system.app.tracing.close();
  const names = new Set(spansOf(collector).map(({ name }) => name));
  for (const name of ['POST /graphql', 'score a patient', 'score a chunk', 'event scoringJobUpdated'])
    expect(names).toContain(name);
  expect(spilt(collector.bodies.join('\n'))).toEqual([]);
});

// Shows: 164.312(a)(2)(iv)
test('the metrics hold no patient data', async () => {
  expect(spilt(await (await fetch(`${system.url}/metrics`)).text())).toEqual([]);
});

describe('callers who may not see names', () => {
  const everything = (): string => {
    const patientFields = selectionOf(schema.getType('Patient') as never, 2);
    const predictionFields = selectionOf(schema.getType('Prediction') as never, 3);
    return /* GraphQL */ `
      {
        patient(id: "${patientId}")
        ${patientFields}
        patients {
          edges {
            node
            ${patientFields}
          }
        }
        predictions {
          edges {
            node
            ${predictionFields}
          }
        }
        scoringJob(id: "${jobId}") {
          error {
            message
          }
          failures {
            message
          }
          patient
          ${patientFields}
          prediction
          ${predictionFields}
        }
      }
    `;
  };

  test.each(['ANALYST', 'SERVICE', 'ADMIN'] as const)('%s sees nothing that identifies a patient', async (role) => {
    const { text } = await system.post(everything(), undefined, await system.token(role));
    const identifying = [
      markers.mrn,
      markers.givenName,
      markers.familyName,
      markers.birthDate,
      'Canaryreason',
      markers.idempotencyKey,
    ];
    expect(identifying.filter((secret) => text.includes(secret))).toEqual([]);
  });

  test('an anonymous caller and a caller of another organization see nothing at all', async () => {
    for (const token of [undefined, await system.token('CLINICIAN', 'beta'), await system.token('ANALYST', 'beta')]) {
      const { text } = await system.post(everything(), undefined, token);
      expect(spilt(text)).toEqual([]);
    }
  });
});
