import { describe, expect, test } from 'vitest';
import { canary, createOne, expectRefused, someId, startBadInputSystem } from '../support/bad-input.js';
import { postBody } from '../support/system.js';

const { system, token } = await startBadInputSystem();

describe('values in the query itself', () => {
  test.each<[string, string, string, RegExp]>([
    [
      'Infinity',
      'mutation { createPatient(input: { mrn: "x", features: [{ code: "cholesterol", value: 1e999 }] }) { id } }',
      'features[0].value',
      /cholesterol must be a finite number, between 50 and 1000 mg\/dL/,
    ],
    [
      'a text for a number',
      /* GraphQL */ `
        mutation {
          createPatient(
            input: {mrn: "x", features: [{code: "age", value: 50}, {code: "cholesterol", value: "${canary}"}]}
          ) {
            id
          }
        }
      `,
      'features[1].value',
      /must be a finite number/,
    ],
    [
      'no date',
      `mutation { createPatient(input: { mrn: "x", birthDate: "${canary}" }) { id } }`,
      'birthDate',
      /must be a calendar date/,
    ],
    [
      'a number for a date',
      'mutation { createPatient(input: { mrn: "x", birthDate: 4711 }) { id } }',
      'birthDate',
      /must be a calendar date/,
    ],
    [
      'no enum value',
      'mutation { createPatient(input: { mrn: "x", sex: CANARY }) { id } }',
      'sex',
      /must be a value of the enum AdministrativeGender/,
    ],
    ['a missing field', `mutation { createPatient(input: { givenName: "${canary}" }) { id } }`, 'mrn', /is required/],
    [
      'a missing field of an item',
      'mutation { createPatient(input: { mrn: "x", features: [{ value: 1 }] }) { id } }',
      'features[0].code',
      /is required/,
    ],
    ['a missing argument', '{ scoringJob { id } }', 'id', /is required/],
    [
      'an unknown field of an input',
      `mutation { createPatient(input: { mrn: "x", nickname: "${canary}" }) { id } }`,
      'nickname',
      /"nickname" is not defined/,
    ],
    ['an unknown field', '{ viewer { nickname } }', 'viewer.nickname', /Cannot query field "nickname"/],
    ['an unknown argument', `{ patient(nickname: "${canary}") { id } }`, 'nickname', /Unknown argument "nickname"/],
    [
      'a null in a list',
      'mutation { submitBatchScoringJob(input: { modelId: "m", patientIds: ["a", null] }) { id } }',
      'patientIds[1]',
      /must not be null/,
    ],
    [
      'no time',
      `{ patients(filter: { createdAfter: "${canary}" }) { totalCount } }`,
      'filter.createdAfter',
      /must be a date and time/,
    ],
    ['a fraction of a page', '{ patients(first: 1.5) { totalCount } }', 'first', /must be a whole number/],
    ['a syntax error behind a text', `mutation { createPatient(input: { mrn: "${canary}" `, 'query', /syntax error/],
    [
      'a syntax error within a text',
      `mutation { createPatient(input: { mrn: "${canary}\n" }) { id } }`,
      'query',
      /syntax error/,
    ],
    [
      'a variable that is not defined',
      '{ patients(first: $n) { totalCount } }',
      'first',
      /Variable "\$n" is not defined/,
    ],
    [
      'a name that no person can have',
      '{ patients(filter: { familyName: "a\\u0000b" }) { totalCount } }',
      'filter.familyName',
      /no control characters/,
    ],
    [
      'a name as long as a book',
      `{ patients(filter: { familyName: "${'x'.repeat(40_000)}" }) { totalCount } }`,
      'filter.familyName',
      /at most 200 characters/,
    ],
    ['neither id nor MRN', '{ patient { id } }', 'id', /give either id or mrn/],
    ['both id and MRN', `{ patient(id: "${someId}", mrn: "x") { id } }`, 'id', /give either id or mrn/],
    [
      'no contribution',
      /* GraphQL */ `
        {
          simulateRisk(
            input: {
              modelId: "heart-disease"
              features: [{ code: "age", value: 50 }, { code: "sex", value: 1 }, { code: "chest_pain_type", value: 1 }]
            }
          ) {
            explanation {
              contributions(top: 0) {
                value
              }
            }
          }
        }
      `,
      'top',
      /at least 1/,
    ],
    ['a subscription over HTTP', 'subscription { predictionCreated { id } }', 'query', /WebSocket/],
    [
      'two operations and no name',
      'query A { viewer { username } } query B { viewer { username } }',
      'query',
      /operation name/,
    ],
  ])('%s is refused by its place', async (_name, query, path, message) => {
    expectRefused(await system.post(query, undefined, token), path, message);
  });
});

describe('malformed requests', () => {
  test.each<[string, string, string]>([
    ['no JSON', `{"query": "${canary}`, 'body'],
    ['nothing', '', 'body'],
    ['a list of operations', `[{"query":"{ viewer { username } }"}]`, 'query'],
    ['a query that is a number', '{"query":5}', 'query'],
    ['variables that are a text', `{"query":"{ viewer { username } }","variables":"${canary}"}`, 'query'],
    ['a persisted query', `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"${'a'.repeat(64)}"}}}`, 'query'],
  ])('%s is BAD_USER_INPUT', async (_name, body, path) => {
    expectRefused(await postBody(system.url, body, token), path, /./);
  });

  test('a request above 4 MiB is 413 and BAD_USER_INPUT', async () => {
    const answer = await postBody(
      system.url,
      JSON.stringify({
        query: createOne,
        variables: { input: { mrn: canary, givenName: 'x'.repeat(4 * 1024 * 1024) } },
      }),
      token,
    );
    expect(answer.status).toBe(413);
    expectRefused(answer, 'body', /larger than 4194304 bytes/);
  });
});
