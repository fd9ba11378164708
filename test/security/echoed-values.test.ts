/** Covers src/http/error-format.ts, src/http/coercion-error.ts, src/process/logger.ts. */
// Threat: an error or the log repeats a value that identifies a patient.

import { pino } from 'pino';
import { beforeAll, describe, expect, test } from 'vitest';
import { createLogger } from '../../src/process/logger.js';
import { patient } from '../support/scenario.js';
import { startSystem } from '../support/system.js';
import { codesOfReply, type GraphqlRequest, isForSubscriptions, transports } from '../support/transports.js';

/** Takes the place of a name, a record number or a birth date. */
const canary = 'Canary-4711';
const logLines: string[] = [];
const logger = Object.assign(createLogger('trace', 'test'), {
  [pino.symbols.streamSym]: { write: (line: string) => logLines.push(line) },
});
const system = await startSystem({ worker: false, logger });
const token = await system.token('CLINICIAN');
let before: Record<string, number>;
beforeAll(async () => {
  await patient(await system.client('CLINICIAN'));
  before = await system.counts();
});

/** Invalid values of a variable. Each holds the canary somewhere. */
const hostile: Record<string, unknown> = {
  'a text': canary,
  'a text of many lines': `${canary}\n"; " at "a.b"; ${canary}`,
  'a text that reads like an error': `Variable "$x" got invalid value "${canary}" at "x"; Expected type "${canary}"`,
  'a text with a suggestion': `"${canary}". Did you mean "${canary}"?`,
  'a list': [canary, [canary]],
  'an object': { [canary]: canary },
  'an object within a list': [{ mrn: canary, value: { code: canary } }],
  'a key that reads like an error': { [`" of required type "${canary}!" was not provided.`]: 1 },
  'an operator': { $gt: canary },
  'a prototype': JSON.parse(`{ "constructor": { "prototype": "${canary}" } }`),
  'a text that turns to one': { toString: canary, valueOf: canary, toJSON: canary },
};

const httpOperations: Record<string, string> = {
  'Int, a page size': 'query ($x: Int) { patients(first: $x) { totalCount } }',
  'an input object': 'query ($x: PatientFilter) { patients(filter: $x) { totalCount } }',
  'an enum within': 'query ($x: PatientOrderField!) { patients(orderBy: { field: $x }) { totalCount } }',
  'a date': 'query ($x: DateTime) { patients(filter: { createdAfter: $x }) { totalCount } }',
  'a float': 'query ($x: Float) { predictions(filter: { minimumProbability: $x }) { totalCount } }',
  'a list of enums': 'query ($x: [RiskBand!]) { predictions(filter: { riskBands: $x }) { totalCount } }',
  'a mutation': 'mutation ($x: CreatePatientInput!) { createPatient(input: $x) { id } }',
  'a birth date':
    'mutation ($x: LocalDate) { createPatient(input: { mrn: "echo", birthDate: $x, sex: CANARY_4711 }) { id } }',
  features: 'mutation ($x: [FeatureValueInput!]) { createPatient(input: { mrn: "", features: $x }) { id } }',
  'an id': 'query ($x: ID!) { scoringJob(id: $x) { nothing } }',
  'a condition': 'query ($x: Boolean!) { viewer { username @include(if: $x) } }',
};
const subscriptions: Record<string, string> = {
  'an id': 'subscription ($x: ID!) { scoringJobUpdated(id: $x) { sequence } }',
  'a sequence number':
    'subscription ($x: Int) { scoringJobUpdated(id: "aaaaaaaaaaaaaaaaaaaaaaaa", after: $x) { sequence } }',
  'a condition': 'subscription ($x: Boolean!) { predictionCreated { id @include(if: $x) } }',
};

describe.each(transports)('over %s', (transport, send) => {
  const operations = Object.entries(isForSubscriptions(transport) ? subscriptions : httpOperations).filter(
    ([, query]) => transport !== 'HTTP GET' || !query.startsWith('mutation'),
  );

  describe.each(operations)('%s', (_where, query) => {
    // Shows: owasp/graceful-rejection
    test.each(Object.entries(hostile))('given %s is refused without repeating it', async (_name, value) => {
      await expectSilence({ query, variables: { x: value } });
      // The variables also hold an undefined one, whose name is the canary.
      await expectSilence({ query, variables: { x: value, [canary]: value } });
    });
  });

  // Shows: owasp/graceful-rejection
  test('an operation name, an extension or a document that holds a value is refused without repeating it', async () => {
    const query = operations[0]![1];
    await expectSilence({ query, variables: {}, operationName: canary });
    await expectSilence({ query: `${query} "${canary}` });
    await expectSilence({ query: `"""${canary}""" ${query} { ` });
    await expectSilence({ query: query.replace('$x)', `"${canary}")`), variables: {} });
    await expectSilence({ query, extensions: { persistedQuery: { version: canary, sha256Hash: canary } } });
  });

  async function expectSilence(request: GraphqlRequest): Promise<void> {
    const reply = await send(system, request, token);
    expect(reply.errors.length, reply.text).toBeGreaterThan(0);
    for (const code of codesOfReply(reply)) expect(['BAD_USER_INPUT', 'NOT_FOUND'], reply.text).toContain(code);
    expect(reply.text.toLowerCase(), JSON.stringify(request)).not.toContain(canary.toLowerCase());
    expect(await system.counts()).toEqual(before);
  }
});

// Shows: owasp/graceful-rejection
test('the log repeats none of these values either', () => {
  expect(logLines.length).toBeGreaterThan(0);
  expect(logLines.join('\n')).not.toContain(canary);
});
