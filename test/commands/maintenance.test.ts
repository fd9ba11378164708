import { Types } from 'mongoose';
import { describe, expect, test } from 'vitest';
import { createServer } from 'node:http';
import { createModels } from '../../models/index.js';
import { modelsSection } from '../../src/commands/maintenance/models-section.js';
import { readSamples, serviceSection } from '../../src/commands/maintenance/service-section.js';
import { isNewer, nodeRemark } from '../../src/commands/maintenance/software-section.js';
import { stabilityIndex } from '../../src/commands/maintenance/stability-index.js';
import { newBlockId } from '../../src/predictions/prediction-block.js';
import { connectDatabase } from '../../src/storage/database.js';
import { freePort } from '../support/free-port.js';
import { namespace } from '../support/namespace.js';
import { serveUntilEnd } from '../support/serve.js';
import { ended, patient, scored, submit } from '../support/scenario.js';
import { runCommand } from '../support/run-command.js';
import { atEnd } from '../support/at-end.js';
import { settingsFor, startSystem } from '../support/system.js';

interface Report {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  readonly remarks: readonly string[];
}

test('the report tells sizes, jobs, predictions, operations and versions of a deployment', async () => {
  const system = await startSystem();
  const client = await system.client('CLINICIAN');
  await scored(client);
  const batch = await Promise.all([patient(client), patient(client)]);
  const job = await submit(client, { patientIds: batch.map(({ id }) => id) });
  await ended(client, job.id);
  await system.post('{ patient(id: "no such id") { id } }', {}, await system.token('CLINICIAN'));

  const { code, output } = await runCommand(
    ['maintenance', 'report', '--json', '--metrics-url', `${system.url}/metrics`],
    settingsFor(system.app.config),
  );
  expect(code).toBe(0);
  const [storage, work, models, service, software] = JSON.parse(output) as [Report, Report, Report, Report, Report];

  const sizes = new Map(storage.rows.map(([name, ...figures]) => [name, figures]));
  // Documents, and those of the last week.
  expect([sizes.get('patients')![0], sizes.get('patients')![4]]).toEqual([3, 3]);
  expect(sizes.get('scoring_jobs')![0]).toBe(2);
  expect(storage.remarks[0]).toMatch(/^On disk: [\d.]+ MiB with indexes\. New data: [\d.]+ MiB per day/);

  expect(work.rows.map((row) => row.slice(0, 6))).toEqual([
    ['SINGLE', 'COMPLETED', '', 1, 1, 0],
    ['BATCH', 'COMPLETED', '', 1, 2, 0],
  ]);
  expect(work.remarks[0]).toBe('0 of 2 jobs failed (0.00 %).');

  expect(models.rows).toHaveLength(1);
  expect(models.rows[0]!.slice(0, 3)).toEqual(['heart-disease@1.0.0', 3, 0]);
  expect(models.rows[0]!.at(-2)).toBe('too few');

  const operations = new Map(service.rows.map(([name, ...figures]) => [name, figures]));
  expect(operations.get('submitScoringJob')![0]).toBe(1);
  expect(service.remarks.join(' ')).toMatch(/MongoDB: \d+ operations, 99 % within/);

  expect(software.rows.map(([what]) => what)).toEqual(['RiskGraph', 'stored data', 'Node.js', 'MongoDB', 'Redis']);
  expect(JSON.stringify(software)).not.toContain('does not answer');
});

test('the report is a text for people, and says what is missing', async () => {
  const { mongoUri } = namespace();
  const REDIS_URL = `redis://127.0.0.1:${await freePort()}`;
  const { code, output } = await runCommand(['maintenance', 'report', '--days', '30'], {
    ...settingsFor(namespace()),
    MONGO_URI: mongoUri,
    REDIS_URL,
  });
  expect(code).toBe(0);
  expect(output).toContain('does not answer');
  // It only reads.
  const database = await connectDatabase(mongoUri);
  atEnd(() => database.close());
  expect(await database.listCollections()).toEqual([]);
  expect(output).toContain('growth in the last 30 days');
  expect(output).toContain('There are none.');
  expect(output).toContain('Name the metrics of each process with --metrics-url');
});

test('metrics that do not answer end the report with one line', async () => {
  const url = `http://127.0.0.1:${await freePort()}/metrics`;
  await expect(serviceSection([url])).rejects.toThrow(
    `${url} gives no metrics: check METRICS_PORT and METRICS_HOST of the process`,
  );
});

test('predictions of two periods are compared, single ones together with those of batches', async () => {
  const database = await connectDatabase(namespace().mongoUri);
  atEnd(() => database.close());
  const models = createModels(database);
  const now = new Date('2026-03-20T00:00:00Z');
  const prediction = (daysAgo: number, probability: number, additivityError: number) => {
    const createdAt = new Date(now.getTime() - daysAgo * 86_400_000);
    return {
      _id: Types.ObjectId.createFromTime(createdAt.getTime() / 1_000),
      modelId: 'm',
      modelVersion: '1',
      probability,
      riskBand: probability < 0.5 ? 'LOW' : 'HIGH',
      explanation: { additivityError },
      createdAt,
    };
  };
  // Before: low alone. In the last week: half of each, the high ones in a block.
  await models.predictions.collection.insertMany([
    ...Array.from({ length: 200 }, (_, index) => prediction(10 + index / 1_000, 0.15, 1e-16)),
    ...Array.from({ length: 100 }, (_, index) => prediction(3 + index / 1_000, 0.15, 2e-16)),
  ]);
  const createdAt = new Date(now.getTime() - 2 * 86_400_000);
  await models.predictionBlocks.collection.insertOne({
    _id: newBlockId(createdAt),
    modelId: 'm',
    modelVersion: '1',
    createdAt,
    rows: Array.from({ length: 100 }, (_, number) => ({ number, probability: 1, riskBand: 'HIGH' })),
  });
  // An erased prediction has left its number in the log.
  await models.predictions.collection.insertOne({ _id: Types.ObjectId.createFromTime(now.getTime() / 1_000 - 60) });
  const { rows } = await modelsSection(models, 7, now);
  const expected = stabilityIndex(
    new Map([['1', 200]]),
    new Map([
      ['1', 100],
      ['9', 100],
    ]),
  )!;
  expect(rows.map((row) => [...row.slice(0, 5), ...row.slice(6)])).toEqual([
    ['m@1', 200, 200, '0.575', '0.150', expected.toFixed(3), '2.0e-16'],
  ]);
  expect(rows[0]![5]).toMatch(/^(?:LOW 50 %, HIGH 50 %|HIGH 50 %, LOW 50 %)$/);
  expect(expected).toBeGreaterThan(0.25);
});

describe('the stability index', () => {
  test('is 0 for equal distributions, grows with the difference, and needs a hundred observations', () => {
    const even = new Map([
      ['a', 500],
      ['b', 500],
    ]);
    const shifted = new Map([
      ['a', 600],
      ['b', 400],
    ]);
    expect(stabilityIndex(even, even)).toBe(0);
    // 0.1 ln 1.2 - 0.1 ln 0.8
    expect(stabilityIndex(even, shifted)).toBeCloseTo(0.040547, 6);
    expect(stabilityIndex(new Map([['a', 99]]), even)).toBeUndefined();
    expect(stabilityIndex(new Map(), new Map())).toBeUndefined();
  });
});

test.each([
  ['2.0.0-rc.4', '1.1.1', false],
  ['2.0.0-rc.4', '2.0.0', true],
  ['2.0.0-rc.4', '2.0.0-rc.10', true],
  ['2.0.0', '2.0.0-rc.4', false],
  ['2.0.0-beta.1', '2.0.0-rc.0', true],
  ['1.9.0', '1.10.0', true],
  ['1.10.0', '1.9.9', false],
])('of the package versions %s here and %s released, the second is newer: %s', (current, latest, newer) => {
  expect(isNewer({ current, latest })).toBe(newer);
});

test('the report counts operations that failed apart from the errors of answers', async () => {
  const operation = 'riskgraph_graphql_operation_duration_seconds';
  const url = await serveUntilEnd(
    createServer((_, answer) =>
      answer.end(
        [
          `${operation}_count{operation="viewer",outcome="ok"} 10`,
          `${operation}_count{operation="viewer",outcome="error"} 1`,
          'riskgraph_graphql_errors_total{code="NOT_FOUND"} 1',
          'riskgraph_graphql_errors_total{code="BAD_USER_INPUT"} 4',
        ].join('\n'),
      ),
    ),
  );
  const { remarks } = await serviceSection([url]);
  expect(remarks.slice(0, 2)).toEqual([
    '1 of 11 operations failed (9.09 %).',
    '5 errors in answers and events: NOT_FOUND 1, BAD_USER_INPUT 4. These are errors, not operations: one may have ' +
      'several, and requests that were refused before they ran count here alone.',
  ]);
});

test('samples of metrics are read with their labels, escapes and values', () => {
  const text = '# HELP a b\n# TYPE a counter\na{code="X \\"y\\", z",b="2"} 3\nplain 1.5e-3\nnan NaN\n';
  expect(readSamples(text)).toEqual([
    { name: 'a', labels: { code: 'X \\"y\\", z', b: '2' }, value: 3 },
    { name: 'plain', labels: {}, value: 0.0015 },
    { name: 'nan', labels: {}, value: NaN },
  ]);
});

test.each([
  ['20.20.2', 'Node.js 20 gets no security fixes since 2026-04-30: go to 24.'],
  ['24.21.0', 'Node.js 24 gets security fixes until 2028-04-30, for 518 days.'],
  ['23.1.0', 'Node.js 23 is no version that RiskGraph knows: use 24.'],
])('what is said about Node.js %s', (version, remark) => {
  expect(nodeRemark(version, new Date('2026-11-29T00:00:00Z'))).toBe(remark);
});
