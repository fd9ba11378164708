import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { serveUntilEnd } from '../support/serve.js';
import { cohortCollector, sampleOf, type CohortModel } from '../../web/pages/cohort/cohort-data.js';
import { choiceOf } from '../../web/pages/cohort/cohort-filter.js';
import { groupsOf, splitOf } from '../../web/pages/cohort/group-choice.js';
import { rateOf, withSample, type Sample } from '../../web/pages/cohort/progress-rate.js';
import { csvHead, csvLine } from '../../web/pages/cohort/result-csv.js';
import { texts as german } from '../../web/texts/de/index.js';
import { texts as english } from '../../web/texts/en/index.js';
import { readResultLines, type ResultLine } from '../../web/pages/cohort/result-lines.js';

/** All sentences of a catalogue, with 1 in the place of each number and name. */
const sentences = (part: unknown): string[] =>
  typeof part === 'function'
    ? [String((part as (...values: string[]) => unknown)(...Array<string>(part.length).fill('1')))]
    : typeof part === 'object'
      ? Object.values(part ?? {}).flatMap(sentences)
      : [];
/** Sentences that are never said of one. */
const ofMany = /first 1 patients|ersten 1 Personen|sample of 1|Auswahl von 1|1 (?:years|Jahre) or|1 Jahre oder/;

test('one of a thing is told in the singular', () => {
  const told = (catalogue: object): string[] =>
    sentences({ ...catalogue, plots: {} }).filter((sentence) => !ofMany.test(sentence));
  const plural =
    /\b1 (?:[a-z]+ )?(?:patient|job|row|user|key|event|time|score|year|document|session|result|accesse|percentage point)s\b/;
  expect(told(english).filter((sentence) => plural.test(sentence))).toEqual([]);
  const mehrzahl =
    /\b1 (?:\p{L}+ )?(?:Personen|Aufträge|Zeilen|Ereignisse|Ergebnisse|Zugriffe|Jahre|Dokumenten|Sitzungen|Prozentpunkte)\b/u;
  expect(told(german).filter((sentence) => mehrzahl.test(sentence))).toEqual([]);
  expect(told(english)).toContain('1 access');
  expect([english.jobs.rate('1.0'), english.jobs.count('1,000'), german.patient.points('-1')]).toEqual([
    '1.0 patients per second',
    '1,000 jobs',
    '-1 Prozentpunkt',
  ]);
});

const nothing = { mrnPrefix: ' ', familyName: '' };

test('conditions of the address become a filter, and what is no value is no condition', () => {
  expect(choiceOf(new URLSearchParams('from=abc&to=101&created=never'), nothing, 'm')).toEqual({
    filter: {},
    isAll: true,
  });
  const query = new URLSearchParams('sex=MALE&from=20&to=50&band=LOW&band=HIGH&changed=2026-01-02T03:04Z');
  expect(choiceOf(query, { mrnPrefix: ' AB ', familyName: '' }, 'm')).toEqual({
    filter: {
      sex: 'MALE',
      minimumLatestProbability: 0.2,
      maximumLatestProbability: 0.5,
      latestRiskBands: ['LOW', 'HIGH'],
      latestModelId: 'm',
      updatedAfter: '2026-01-02T03:04:00.000Z',
      mrnPrefix: 'AB',
    },
    isAll: false,
  });
});

test('the rate is that of the last 15 seconds', () => {
  let samples: readonly Sample[] = [];
  expect(rateOf(samples, 100)).toBeUndefined();
  // 1 patient per second for a minute, then 10 per second.
  for (let second = 0; second <= 60; second++) samples = withSample(samples, { at: second * 1_000, processed: second });
  expect(rateOf(samples, 100)).toEqual({ perSecond: 1, secondsLeft: 40 });
  for (let second = 61; second <= 80; second++)
    samples = withSample(samples, { at: second * 1_000, processed: 60 + (second - 60) * 10 });
  expect(rateOf(samples, 360)).toEqual({ perSecond: 10, secondsLeft: 10 });
  expect(samples.length).toBeLessThan(20);
});

const result = (row: number, value: number, age: number | null): ResultLine => ({
  row,
  patientId: `p${row}`,
  prediction: {
    id: `x${row}`,
    createdAt: '2026-01-01T00:00:00.000Z',
    value,
    unit: '1',
    probability: value,
    rawOutput: value,
    riskBand: value < 0.5 ? 'LOW' : 'HIGH',
    inputs: { age, pain: row % 3 },
    explanation: { baseValue: 0.125, outputValue: value, contributions: { age: value, pain: 0 } },
  },
});
const failed: ResultLine = { row: 4, patientId: 'p4', failure: { code: 'X', message: 'has "no", value' } };
const model = {
  features: [
    { code: 'age', label: 'Age', unitLabel: 'years', kind: 'CONTINUOUS', codes: null },
    {
      code: 'pain',
      label: 'Pain',
      unitLabel: '',
      kind: 'CATEGORICAL',
      codes: [0, 1, 2].map((value) => ({ value, label: `pain ${value}` })),
    },
  ],
  riskBands: [
    { band: 'LOW', from: 0, meaning: '' },
    { band: 'HIGH', from: 0.5, meaning: '' },
    { band: 'VERY_HIGH', from: 0.9, meaning: '' },
  ],
} as unknown as CohortModel;

test('groups are those of the address, and a missing value is in none', () => {
  const collector = cohortCollector(['age', 'pain']);
  for (const line of [result(1, 0.2, 40), result(2, 0.6, null), result(3, 0.7, 70), failed, result(5, 0.1, 50)])
    collector.take(line);
  const data = collector.data();
  expect([data.read, data.values.length]).toEqual([5, 4]);
  const groups = (query: string) => groupsOf(splitOf(new URLSearchParams(query), model, data), data);
  // The highest band that there is, against all others.
  expect(groups('')).toEqual([
    [1, 2],
    [0, 3],
  ]);
  expect(groups('split=band&first=LOW&second=VERY_HIGH')).toEqual([[0, 3], []]);
  // The median of 40, 50 and 70.
  expect(splitOf(new URLSearchParams('split=age'), model, data)).toMatchObject({ by: 'threshold', at: 50 });
  expect(groups('split=age')).toEqual([[0, 3], [2]]);
  expect(groups('split=age&at=45')).toEqual([[0], [2, 3]]);
  // Rows 1, 2, 3 and 5 have the pains 1, 2, 0 and 2.
  expect(groups('split=pain')[0]).toEqual([1, 3]);
  expect(groups('split=pain&first=1&second=0')).toEqual([[0], [2]]);
});

test('one prediction without contributions means that there are none to draw', () => {
  const collector = cohortCollector(['age']);
  collector.take(result(1, 0.2, 40));
  collector.take({ ...result(2, 0.2, 40), prediction: { ...result(2, 0.2, 40).prediction!, explanation: null } });
  expect(collector.data().shap.size).toBe(0);
});

test('a sample is even, and never larger than it may be', () => {
  expect(sampleOf(3, 10)).toEqual([0, 1, 2]);
  expect(sampleOf(10, 4)).toEqual([0, 2, 5, 7]);
});

test('a line of CSV has a cell per column, with quotes where they are needed', () => {
  const codes = ['age', 'pain'];
  const head = csvHead(codes, true).trimEnd().split(',');
  const cells = csvLine({ ...result(1, 0.25, null), mrn: '=SUM(A1)' }, codes, true)
    .trimEnd()
    .split(',');
  expect(cells).toHaveLength(head.length);
  const cell = (name: string): string => cells[head.indexOf(name)]!;
  expect([cell('mrn'), cell('value'), cell('input_age'), cell('base_value'), cell('contribution_age')]).toEqual([
    "'=SUM(A1)",
    '0.25',
    '',
    '0.125',
    '0.25',
  ]);
  expect(csvLine(failed, codes, false)).toMatch(/,X,"has ""no"", value"\r\n$/);
});

/** A server that answers as `handle` does. @returns its address */
const serve = (handle: RequestListener): Promise<string> => serveUntilEnd(createServer(handle));

const line = (row: number): string => `${JSON.stringify(result(row, 0.5, 50))}\n`;

test('results go on behind the last whole line after a break, with a new token where the old one is refused', async () => {
  const asked: string[] = [];
  let broken: ServerResponse | undefined;
  const origin = await serve((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`);
    if (asked.length === 1) response.writeHead(401).end();
    else if (asked.length === 2) {
      response.write(line(1) + line(2) + line(3).slice(0, 20));
      broken = response;
    } else response.end(line(3) + line(4));
  });
  const session = { token: (refused?: string) => Promise.resolve(refused ? 'second' : 'first') };
  const rows: number[] = [];
  const request = { session, jobId: 'j', withMrn: true, signal: new AbortController().signal, origin };
  for await (const lines of readResultLines(request)) {
    rows.push(...lines.map((text) => (JSON.parse(text) as ResultLine).row));
    broken?.destroy();
  }
  expect(rows).toEqual([1, 2, 3, 4]);
  expect(asked).toEqual([
    '/jobs/j/predictions.ndjson?mrn=true Bearer first',
    '/jobs/j/predictions.ndjson?mrn=true Bearer second',
    '/jobs/j/predictions.ndjson?after=2&mrn=true Bearer first',
  ]);
});

test('an answer that ends within a line is not the whole of the results', async () => {
  const asked: string[] = [];
  const origin = await serve((request, response) => {
    asked.push(request.url!);
    response.end(asked.length === 1 ? line(1) + line(2).slice(0, 20) : line(2));
  });
  const session = { token: () => Promise.resolve('first') };
  const rows: number[] = [];
  for await (const lines of readResultLines({ session, jobId: 'j', signal: new AbortController().signal, origin }))
    rows.push(...lines.map((text) => (JSON.parse(text) as ResultLine).row));
  expect(rows).toEqual([1, 2]);
  expect(asked).toEqual(['/jobs/j/predictions.ndjson', '/jobs/j/predictions.ndjson?after=1']);
});

test('a refusal has the words of the API, and is not repeated', async () => {
  let asked = 0;
  const origin = await serve((_request, response) => {
    asked += 1;
    response.writeHead(409).end(JSON.stringify({ errors: [{ message: 'The job has not ended.' }] }));
  });
  const session = { token: () => Promise.resolve('first') };
  const lines = readResultLines({ session, jobId: 'j', signal: new AbortController().signal, origin });
  await expect(lines.next()).rejects.toThrow('The job has not ended.');
  expect(asked).toBe(1);
});
