/** Covers src/http/error-format.ts, src/http/protections.ts, src/api.ts. */
// Threat: a stranger learns the schema or internals of the server from its answers.

import { getIntrospectionQuery } from 'graphql';
import { describe, expect, test } from 'vitest';
import { codesOf, postBody, startSystem } from '../support/system.js';
import { codesOfReply, isForSubscriptions, transports } from '../support/transports.js';

const system = await startSystem({ worker: false, environment: { NODE_ENV: 'production' } });
const token = await system.token('CLINICIAN');

/** Texts that no answer in production may hold. */
const disclosures = [/did you mean/i, /stack/i, /\bat .+\.[jt]s:\d+/, /node_modules/, /givenName/, /queryType/];

const queries: Record<string, string> = {
  introspection: getIntrospectionQuery(),
  'a type by name': '{ __type(name: "Patient") { fields { name } } }',
  'introspection in a fragment, under another name':
    '{ a: __typename ...F } fragment F on Query { b: __schema { types { name } } }',
  'a field that is nearly there': '{ patient(id: "a") { givenNam } }',
  'an argument that is nearly there': '{ patient(idd: "a") { id } }',
  'a type that is nearly there': '{ patient(id: "a") { ... on Patien { id } } }',
  'an enum value that is nearly there': '{ patients(orderBy: { field: CREATED }) { totalCount } }',
  'an input field that is nearly there': '{ patients(filter: { familyNam: "a" }) { totalCount } }',
  'a directive that is nearly there': '{ viewer { username @includ(if: true) } }',
  'a variable type that is nearly there': 'query ($a: PatientFilte) { patients(filter: $a) { totalCount } }',
  'an operation that is nearly there': '{ viewe { username } }',
};
const subscriptions: Record<string, string> = {
  introspection: getIntrospectionQuery(),
  'introspection in a subscription': 'subscription { __schema { types { name } } }',
  'introspection together with a subscription':
    'subscription { predictionCreated { id } } query B { __schema { types { name } } }',
  'an operation that is nearly there': 'subscription { predictionCreate { id } }',
  'a field that is nearly there': 'subscription { predictionCreated { patient { givenNam } } }',
  'an argument that is nearly there': 'subscription { predictionCreated(patientI: 1) { id } }',
  'a fragment on a type that is nearly there': 'subscription { predictionCreated { ... on Predictio { id } } }',
};

describe.each(transports)('over %s', (transport, send) => {
  // Shows: owasp/introspection
  test.each(Object.entries(isForSubscriptions(transport) ? subscriptions : queries))(
    '%s is refused and says nothing of the schema',
    async (_name, query) => {
      const reply = await send(system, { query }, token);
      expect(new Set(codesOfReply(reply)), reply.text).toEqual(new Set(['BAD_USER_INPUT']));
      for (const disclosure of disclosures) expect(reply.text).not.toMatch(disclosure);
    },
  );
});

// Shows: owasp/suggestions
test('the error for a variable of nearly the right type does not suggest names', async () => {
  const create = 'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id } }';
  for (const input of [
    { mrn: 'x', givenNam: 'a' },
    { mrn: 'x', sex: 'MAL' },
    { mrn: 'x', features: [{ code: 'a', valu: 1 }] },
  ]) {
    const answer = await system.post(create, { input }, token);
    expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
    expect(answer.text).not.toMatch(/did you mean|"MALE"|givenName/i);
  }
});

// Shows: owasp/error-detail
test('the answer to a malformed request has no stack and no paths', async () => {
  for (const body of [
    '{',
    '[]',
    '{"query": 5}',
    '{"query": "{ viewer { username } }", "variables": []}',
    'null',
    '"query"',
  ]) {
    const answer = await postBody(system.url, body, token);
    expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
    for (const disclosure of disclosures) expect(answer.text).not.toMatch(disclosure);
  }
});

// Shows: owasp/introspection
test('the server has no HTML page, and nothing under other paths', async () => {
  const page = await fetch(`${system.url}/graphql`, { headers: { accept: 'text/html' } });
  expect(page.status).toBe(400);
  expect(page.headers.get('content-type')).toMatch(/^application\/json/);
  const nothing = await fetch(`${system.url}/graphql/schema`);
  expect(nothing.status).toBe(404);
});
