/** Covers src/http/query-limits.ts, src/http/query-cost.ts. */
// Threat: a client sends a small document whose answer is expensive.

import { getIntrospectionQuery, Kind, parse, type OperationDefinitionNode } from 'graphql';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import * as clientDocuments from '../../src/client/generated/graphql.js';
import { modelId, newPatient } from '../support/heart-disease.js';
import { patient } from '../support/scenario.js';
import { codesOf, startSystem } from '../support/system.js';
import { codesOfReply, isForSubscriptions, transports } from '../support/transports.js';

const system = await startSystem({ worker: false });
const token = await system.token('CLINICIAN');
const someId = 'aaaaaaaaaaaaaaaaaaaaaaaa';

let before: Record<string, number>;
beforeAll(async () => {
  await patient(await system.client('CLINICIAN'));
  before = await system.counts();
});

/** A document as a subscription and as a query, so that it could run on either transport. */
const inside = (job: string): Record<string, string> => ({
  query: `{ scoringJob(id: "${someId}") { ${job} } }`,
  subscription: `subscription { scoringJobUpdated(id: "${someId}") { job { ${job} } } }`,
});

/** `{ a { b { ... id ... } } }` */
const nested = (fields: readonly string[]): string =>
  fields.reduceRight((inner, field) => `${field} { ${inner} }`, 'id');

/** Fragments that each spread the next one twice: 2^levels selections in a few hundred characters. */
function doubling(levels: number): string {
  const fragments = Array.from(
    { length: levels },
    (_, level) => `fragment F${level} on ScoringJob { ...F${level + 1} ...F${level + 1} }`,
  );
  return `${fragments.join(' ')} fragment F${levels} on ScoringJob { id }`;
}

const bombs: Record<
  string,
  { readonly bomb: string; readonly fragments?: string; readonly says: RegExp; readonly code?: string }
> = {
  'a circle of objects': {
    bomb: nested(Array.from({ length: 20 }, () => ['prediction', 'job']).flat()),
    says: /is 4\d levels deep, and the limit is 12: nest less/,
  },
  'a document without end': {
    bomb: 'id '.repeat(2_500),
    says: /more than 2000 tokens, which is the limit: pass values as variables/,
  },
  'the same field over and over': {
    bomb: 'progress { stage } '.repeat(300),
    says: /selects 60\d fields.+limit is 500: select fewer/,
  },
  'fragments that double': {
    bomb: '...F0',
    fragments: doubling(60),
    says: /selects more than 1000000000 fields.+limit is 500/,
  },
  'pages of pages': {
    bomb: `predictions(first: 500) {
      edges { node { patient { predictions(first: 500) { edges { node { id } } } } } }
    }`,
    says: /costs \d+ units, and the limit is 500000: lower "first"/,
  },
  brackets: {
    bomb: `predictions(first: ${'['.repeat(900)}${']'.repeat(900)}) { totalCount }`,
    says: /^first: must be a whole number/,
    code: 'BAD_USER_INPUT',
  },
};

describe.each(transports)('over %s', (transport, send) => {
  const kind = isForSubscriptions(transport) ? 'subscription' : 'query';

  // Shows: owasp/depth
  test.each(Object.entries(bombs))(
    '%s is refused by its limit, with the requested amount and the remedy',
    async (_name, { bomb, fragments = '', says, code = 'QUERY_TOO_COMPLEX' }) => {
      const reply = await send(system, { query: `${inside(bomb)[kind]!} ${fragments}` }, token);
      expect(codesOfReply(reply)).toEqual([code]);
      expect(reply.errors[0]!.message).toMatch(says);
      if (!isForSubscriptions(transport)) expect(reply.status).toBe(400);
    },
  );

  // Shows: owasp/depth
  test('a fragment that spreads itself is refused, and causes no endless loop', async () => {
    const reply = await send(
      system,
      {
        query: `
          ${inside('...A')[kind]!}
          fragment A on ScoringJob { prediction { job { ...B } } }
          fragment B on ScoringJob { ...A }
        `,
      },
      token,
    );
    expect(codesOfReply(reply)).not.toContain('INTERNAL');
    expect(reply.errors[0]!.message).toMatch(/Cannot spread fragment "A" within itself|levels deep/);
  });

  // Shows: owasp/pagination
  test('the length of a page counts as a literal, a variable, a default, and when it is missing', async () => {
    const page = (first: string): string =>
      inside(
        `predictions(first: 100) {
          edges { node { patient { predictions(first: ${first}) { totalCount edges { node { id } } } } } }
        }`,
      )[kind]!;
    const named = (definition: string): string =>
      page('$n').replace(
        /^(subscription)? ?\{/,
        (_, word: string | undefined) => `${word ?? 'query'} (${definition}) {`,
      );
    for (const request of [
      { query: page('500') },
      { query: named('$n: Int'), variables: { n: 500 } },
      { query: named('$n: Int = 500') },
      { query: named('$n: Int!'), variables: { n: 4_000 } },
    ]) {
      expect(codesOfReply(await send(system, request, token)), request.query).toEqual(['QUERY_TOO_COMPLEX']);
    }
    for (const request of [
      { query: page('5') },
      { query: named('$n: Int = 500'), variables: { n: 5 } },
      { query: named('$n: Int'), variables: {} },
    ]) {
      expect(codesOfReply(await send(system, request, token)), request.query).not.toContain('QUERY_TOO_COMPLEX');
    }
  });
});

// Shows: owasp/query-cost
test('an operation that costs too much is refused before any of it is run', async () => {
  const page = '{ edges { node { patient { predictions(first: 500) { edges { node { inputs { code } } } } } } } }';
  const mutation = `mutation { createPatient(input: { mrn: "bomb" }) { predictions(first: 500) ${page} } }`;
  expect(codesOf(await system.post(mutation, undefined, token))).toEqual(['QUERY_TOO_COMPLEX']);
  expect(await system.counts()).toEqual(before);
});

// Shows: owasp/query-cost
test('an operation is not charged for another operation of its document', async () => {
  const query = `
    query Cheap { patients { totalCount } }
    query Dear { patients(first: 500) { edges { node { predictions(first: 500) { edges { node { id } } } } } } }
  `;
  const answer = (operationName: string) =>
    fetch(`${system.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, operationName }),
    }).then((response) => response.json());
  expect(await answer('Cheap')).toMatchObject({ data: { patients: { totalCount: 1 } } });
  expect(await answer('Dear')).toMatchObject({ errors: [{ extensions: { code: 'QUERY_TOO_COMPLEX' } }] });
});

test('a condition that skips the expensive part makes a document cheap', async () => {
  const query = `
    query ($all: Boolean!) {
      patients(first: 500) {
        totalCount
        edges @include(if: $all) { node { predictions(first: 500) { edges { node { id } } } } }
      }
    }
  `;
  expect(codesOf(await system.post(query, { all: true }, token))).toEqual(['QUERY_TOO_COMPLEX']);
  expect((await system.post(query, { all: false }, token)).data).toEqual({ patients: { totalCount: 1 } });
});

// Shows: owasp/query-cost
test('figures and simulations cost more than plain values', async () => {
  const figures = `{
    patients(first: 100) {
      edges { node { predictions(first: 10) { edges { node { explanation { waterfall } } } } } }
    }
  }`;
  expect(codesOf(await system.post(figures, undefined, token))).toEqual(['QUERY_TOO_COMPLEX']);
  expect(codesOf(await system.post(figures.replace('waterfall', 'baseValue'), undefined, token))).toEqual([]);
});

test('counts and pages under each object of a page cost more than plain numbers, but counts not per row', async () => {
  const page = (times: number, selection: string): string => {
    const fields = Array.from(
      { length: times },
      (_, index) => `a${index}: predictions(first: 1) { ${selection} }`,
    ).join(' ');
    return `
      { patients(first: 500) { edges { node { ${fields} } } } }
      fragment Count on PredictionConnection { ...on PredictionConnection { totalCount } }
    `;
  };
  const spread = (query: string): string => (query.includes('...Count') ? query : query.replace(/fragment [^]*$/, ''));
  for (const selection of ['totalCount', '...Count']) {
    expect(codesOf(await system.post(spread(page(10, selection)), undefined, token)), selection).toEqual([
      'QUERY_TOO_COMPLEX',
    ]);
    expect(codesOf(await system.post(spread(page(9, selection)), undefined, token)), selection).toEqual([]);
  }
  // A page that is read costs as much as nine counts, however few of its fields are selected.
  const pageInfo = (times: number): string => spread(page(times, 'pageInfo { hasNextPage }'));
  expect(codesOf(await system.post(pageInfo(2), undefined, token))).toEqual(['QUERY_TOO_COMPLEX']);
  expect(codesOf(await system.post(pageInfo(1), undefined, token))).toEqual([]);
  expect(
    codesOf(
      await system.post(
        '{ patients(first: 100) { edges { node { predictions(first: 500) { totalCount } } } } }',
        undefined,
        token,
      ),
    ),
  ).toEqual([]);
});

describe('documents in use are accepted', () => {
  const documents = Object.entries(clientDocuments).flatMap(([name, document]) => {
    if (!name.endsWith('Document')) return [];
    const operation = parse(String(document)).definitions.find(
      ({ kind }) => kind === Kind.OPERATION_DEFINITION,
    ) as OperationDefinitionNode;
    return operation.operation === 'mutation' ? [] : [[name, String(document), operation] as const];
  });

  test.each(documents)('%s, with pages of 500', async (_name, query, definition) => {
    const given: Record<string, unknown> = { first: 500, id: someId, input: { modelId, features: [] } };
    const variables = Object.fromEntries(
      definition.variableDefinitions!.flatMap(({ variable: { name } }) =>
        name.value in given ? [[name.value, given[name.value]]] : [],
      ),
    );
    const [, send] = transports.find(
      ([transport]) => transport === (definition.operation === 'subscription' ? 'WebSocket' : 'HTTP'),
    )!;
    if (definition.operation === 'subscription') variables.patientId = someId;
    expect(codesOfReply(await send(system, { query, variables }, token))).not.toContain('QUERY_TOO_COMPLEX');
  });

  test('mutations that select every field', async () => {
    const { errors } = await system.post(
      clientDocuments.CreatePatientDocument.toString(),
      { input: newPatient() },
      token,
    );
    expect(errors).toBeUndefined();
  });

  test('the introspection query of the Sandbox, but not many of them in one document', async () => {
    const { data, errors } = await system.post(
      getIntrospectionQuery({
        inputValueDeprecation: true,
        specifiedByUrl: true,
        schemaDescription: true,
        directiveIsRepeatable: true,
      }),
    );
    expect(errors).toBeUndefined();
    expect(data).toHaveProperty('__schema.types');
    const one = (_: unknown, index: number): string => `a${index}: __schema { types { fields { args { name } } } }`;
    const many = `{ ${Array.from({ length: 20 }, one).join(' ')} }`;
    expect(codesOf(await system.post(many))).toEqual(['QUERY_TOO_COMPLEX']);
  });

  test('the whole of operations.graphql, sent as one document', async () => {
    const response = await fetch(`${system.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: readFileSync('src/client/operations.graphql', 'utf8'), operationName: 'Viewer' }),
    });
    expect(await response.json()).toMatchObject({ data: { viewer: { role: 'CLINICIAN' } } });
  });
});
