import { type GraphQLObjectType } from 'graphql';
import { describe, expect, test } from 'vitest';
import { buildBareSchema } from '../../schema/build-schema.js';
import { modelId } from '../support/heart-disease.js';
import { connectSocket } from '../support/raw-socket.js';
import { scored } from '../support/scenario.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem();

describe('patients and results, field by field', async () => {
  const clinician = await system.client('CLINICIAN');
  const {
    patientId,
    mrn: createdMrn,
    jobId,
    predictionId,
  } = await scored(clinician, { givenName: 'Ada', familyName: 'Canary', birthDate: '1950-01-02' });
  const job = `"${jobId}"`;
  const identifying = ['mrn', 'givenName', 'familyName', 'birthDate'];
  const secrets = [createdMrn, 'Ada', 'Canary', '1950-01-02'];

  // Shows: 164.312(a)(1), owasp/edges
  test.each(identifying)('%s of a patient is for CLINICIAN only, on every way to it', async (field) => {
    const ways = [
      `{ patient(id: "${patientId}") { ${field} } }`,
      `{ patients { edges { node { ${field} } } } }`,
      `{ predictions { edges { node { patient { ${field} } } } } }`,
      `{ scoringJob(id: ${job}) { patient { ${field} } } }`,
      `{ scoringJob(id: ${job}) { prediction { patient { ${field} } job { patient { ${field} } } } } }`,
    ];
    for (const way of ways) {
      const asClinician = await system.post(way, undefined, await system.token('CLINICIAN'));
      expect(asClinician.errors, way).toBeUndefined();
      for (const role of ['ANALYST', 'SERVICE', 'ADMIN'] as const) {
        const answer = await system.post(way, undefined, await system.token(role));
        expect(new Set(codesOf(answer)), `${role}: ${way}`).toEqual(new Set(['FORBIDDEN']));
        for (const secret of secrets) expect(answer.text).not.toContain(secret);
      }
    }
  });

  // Shows: owasp/edges
  test('an alias, a fragment or a directive is no way around the rules', async () => {
    const token = await system.token('ANALYST');
    for (const query of [
      '{ patients { edges { node { id name: givenName } } } }',
      'query { patients { edges { node { ...F } } } } fragment F on Patient { familyName }',
      '{ patients { edges { node { ... on Patient @include(if: true) { birthDate } } } } }',
    ]) {
      const answer = await system.post(query, undefined, token);
      expect(codesOf(answer)).toContain('FORBIDDEN');
      for (const secret of secrets) expect(answer.text).not.toContain(secret);
    }
  });

  test('callers who may not see names cannot search by names either', async () => {
    const analyst = await system.token('ANALYST');
    const service = await system.token('SERVICE');
    const mrn = JSON.stringify(createdMrn);
    expect(codesOf(await system.post(`{ patient(mrn: ${mrn}) { id } }`, undefined, analyst))).toEqual(['FORBIDDEN']);
    expect(
      codesOf(await system.post(`{ patients(filter: { mrn: ${mrn} }) { totalCount } }`, undefined, analyst)),
    ).toEqual(['FORBIDDEN']);
    expect(
      codesOf(await system.post('{ patients(filter: { familyName: "canary" }) { totalCount } }', undefined, analyst)),
    ).toEqual(['FORBIDDEN']);
    expect(
      codesOf(
        await system.post(
          `mutation { submitBatchScoringJob(input: { modelId: "${modelId}", filter: { mrn: ${mrn} } }) { id } }`,
          undefined,
          service,
        ),
      ),
    ).toEqual(['FORBIDDEN']);
  });

  test('ANALYST and SERVICE read results without names', async () => {
    for (const role of ['ANALYST', 'SERVICE'] as const) {
      const { errors, text } = await system.post(
        /* GraphQL */ `
          {
            scoringJob(id: ${job}) {
              state
              patient {
                id
              }
              prediction {
                probability
                riskBand
                inputs {
                  code
                  value
                }
                patient {
                  id
                  version
                }
                explanation {
                  contributions {
                    value
                  }
                }
              }
              predictions {
                totalCount
              }
              failures {
                code
              }
            }
          }
        `,
        undefined,
        await system.token(role),
      );
      expect(errors).toBeUndefined();
      for (const secret of secrets) expect(text).not.toContain(secret);
    }
    expect(
      (
        await system.post(
          /* GraphQL */ `
            {
              patient(id: "${patientId}") {
                id
                sex
                version
                createdAt
                updatedAt
                features {
                  code
                  value
                  unit
                }
                predictions {
                  totalCount
                }
              }
            }
          `,
          undefined,
          await system.token('ANALYST'),
        )
      ).errors,
    ).toBeUndefined();
  });

  test('SERVICE gets only the id, version, dates, predictions and newest result of a patient', async () => {
    const token = await system.token('SERVICE');
    const fields = Object.keys((buildBareSchema(system.app).getType('Patient') as GraphQLObjectType).getFields());
    const shown: string[] = [];
    for (const field of fields) {
      const selection =
        {
          features: 'features { value }',
          predictions: 'predictions { totalCount }',
          latestPrediction: 'latestPrediction { id }',
        }[field] ?? field;
      const answers = [
        `{ prediction(id: "${predictionId}") { patient { ${selection} } } }`,
        `{ scoringJob(id: ${job}) { patient { ${selection} } } }`,
      ].map((way) => system.post(way, undefined, token));
      const codes = (await Promise.all(answers)).map((answer) => codesOf(answer).join());
      expect(new Set(codes).size, field).toBe(1);
      if (codes[0] === '') shown.push(field);
      else expect(codes[0], field).toBe('FORBIDDEN');
    }
    // `predictions` and `latestPrediction` are results on every way to them.
    expect(shown.sort()).toEqual(['createdAt', 'id', 'latestPrediction', 'predictions', 'updatedAt', 'version']);
  });

  // Shows: owasp/edges
  test.each(['patient { id }', 'prediction { id }', 'predictions { totalCount }', 'failures { code }'])(
    'ADMIN sees a job, but not its %s',
    async (field) => {
      const token = await system.token('ADMIN');
      expect(
        (await system.post(`{ scoringJob(id: ${job}) { state progress { percent } model { id } } }`, undefined, token))
          .errors,
      ).toBeUndefined();
      expect(codesOf(await system.post(`{ scoringJob(id: ${job}) { ${field} } }`, undefined, token))).toEqual([
        'FORBIDDEN',
      ]);
    },
  );

  test('an event shows a subscriber no more than a query does', async () => {
    const socket = await connectSocket(system.url, await system.token('ANALYST'));
    socket.send({
      type: 'subscribe',
      id: '1',
      payload: { query: `subscription { scoringJobUpdated(id: ${job}) { job { state patient { id givenName } } } }` },
    });
    const event = JSON.stringify(await socket.next());
    expect(event).toContain('"state":"COMPLETED"');
    expect(event).toContain('FORBIDDEN');
    expect(event).not.toContain('Ada');
  });
});
