/** Covers src/patients/de-identification.ts, src/predictions/explanation.ts. */
// Threat: a caller who sees no names identifies a patient by an exact age.

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { goldenFeatures, modelId } from '../support/heart-disease.js';
import { createApiKey } from '../support/identity.js';
import { connectSocket } from '../support/raw-socket.js';
import { scored, type Scored } from '../support/scenario.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem();
/** Serves only the shipped model, under another id. Its manifest does not declare `age` as an age. */
const undeclared = await startSystem({ environment: { RISK_MODELS_DIRECTORY: await withoutSource() } });

async function withoutSource(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'riskgraph-test-'));
  afterAll(() => rm(folder, { recursive: true }));
  const bundle = join(folder, 'undeclared');
  await cp(new URL('../../risk-models/heart-disease', import.meta.url), bundle, { recursive: true });
  const manifest = JSON.parse(await readFile(join(bundle, 'manifest.json'), 'utf8')) as {
    id: string;
    features: { code: string; source?: string }[];
  };
  manifest.id = 'undeclared';
  for (const feature of manifest.features) if (feature.code === 'age') delete feature.source;
  await writeFile(join(bundle, 'manifest.json'), JSON.stringify(manifest));
  return folder;
}

const clinician = await system.client('CLINICIAN');
const withoutAge = goldenFeatures(0).filter(({ code }) => code !== 'age');
/** Birth date of a person who is this old today. */
const born = (age: number): string => `${new Date().getUTCFullYear() - age - 1}-12-31`;

let byBirthDate: Scored;
let byFeature: Scored;

const score = (input: object, client = clinician, model = modelId): Promise<Scored> => scored(client, input, model);

beforeAll(async () => {
  byBirthDate = await score({ birthDate: born(97), features: withoutAge });
  byFeature = await score({ features: [...withoutAge, { code: 'age', value: 97 }] });
});

const prediction = 'inputs { code value } explanation { contributions { feature { code } inputValue displayValue } }';
const everyWay = ({ patientId, jobId, predictionId }: Scored): string =>
  `{ patient(id: "${patientId}") { age features { code value } predictions { edges { node { ${prediction} } } } }
     prediction(id: "${predictionId}") { ${prediction} patient { age features { code value } } }
     predictions(filter: { patientId: "${patientId}" }) { edges { node { ${prediction} } } }
     scoringJob(id: "${jobId}") {
       patient { age } prediction { ${prediction} } predictions { edges { node { ${prediction} } } }
     } }`;

test('a caller who sees names sees the exact age', async () => {
  const token = await system.token('CLINICIAN');
  const { text, errors } = await system.post(everyWay(byBirthDate), undefined, token);
  expect(errors).toBeUndefined();
  expect(text).toContain('"age":97');
  expect(text).toContain('"displayValue":"97 years"');
});

// Shows: 164.312(a)(1)
test.each([
  ['by birth date', () => byBirthDate],
  ['by feature', () => byFeature],
])('an age above 89 is pooled for ANALYST on every way to it, %s', async (_name, old) => {
  const { text, errors } = await system.post(everyWay(old()), undefined, await system.token('ANALYST'));
  expect(errors).toBeUndefined();
  expect(text).not.toMatch(/\b97\b/);
  expect(text).toContain('90 years or more');
  expect(text).toContain('{"code":"age","value":90}');
});

describe('an age that the manifest does not declare as an age', () => {
  let old: Scored;

  beforeAll(async () => {
    old = await score(
      { features: [...withoutAge, { code: 'age', value: 97.25 }] },
      await undeclared.client('CLINICIAN'),
      'undeclared',
    );
  });

  // Shows: 164.312(a)(1)
  test('is still pooled on every way to it, and in the figure', async () => {
    const figure = `{ prediction(id: "${old.predictionId}") { explanation { waterfall } } }`;
    expect((await undeclared.post(everyWay(old), undefined, await undeclared.token('CLINICIAN'))).text).toContain(
      '97.25',
    );
    for (const query of [everyWay(old), figure]) {
      const { text, errors } = await undeclared.post(query, undefined, await undeclared.token('ANALYST'));
      expect(errors).toBeUndefined();
      expect(text).not.toMatch(/97\.25|\b97 years/);
      expect(text).toContain('90 years or more');
    }
  });

  // Shows: 164.312(a)(1)
  test('is in no simulation by a key that may not read patients', async () => {
    const simulate = /* GraphQL */ `
      query ($input: SimulateRiskInput!) {
        simulateRisk(input: $input) {
          inputs {
            code
            value
          }
          explanation {
            waterfall
            contributions {
              inputValue
              displayValue
            }
          }
        }
      }
    `;
    const input = { modelId: 'undeclared', patientId: old.patientId };
    expect((await undeclared.post(simulate, { input }, await undeclared.token('CLINICIAN'))).text).toContain(
      '{"code":"age","value":97.25}',
    );
    const refused = await undeclared.post(simulate, { input }, await createApiKey(undeclared, ['risk:simulate']));
    expect(codesOf(refused)).toEqual(['FORBIDDEN']);
    expect(refused.text).not.toMatch(/97\.25|\b97 years/);
  });
});

test('an age above 89 is pooled in what a subscription of ANALYST shows', async () => {
  const socket = await connectSocket(system.url, await system.token('ANALYST'));
  socket.send({
    type: 'subscribe',
    id: '1',
    payload: {
      query: /* GraphQL */ `
        subscription {
          scoringJobUpdated(id: "${byBirthDate.jobId}") {
            job {
              state
              patient {
                age
              }
              prediction {
                ${prediction}
              }
            }
          }
        }
      `,
    },
  });
  const event = JSON.stringify(await socket.next());
  expect(event).toContain('90 years or more');
  expect(event).not.toMatch(/\b97\b/);
});

test('an age of 89 or less is shown exactly, because many patients share it', async () => {
  const young = await score({ birthDate: born(89), features: withoutAge });
  const { text } = await system.post(everyWay(young), undefined, await system.token('ANALYST'));
  expect(text).toContain('"age":89');
  expect(text).toContain('"displayValue":"89 years"');
});

test('an age above 89 is pooled in the figure of an explanation', async () => {
  const figure = `{ prediction(id: "${byBirthDate.predictionId}") { explanation { waterfall } } }`;
  expect((await system.post(figure, undefined, await system.token('CLINICIAN'))).text).toContain('97 years');
  const { text } = await system.post(figure, undefined, await system.token('ANALYST'));
  expect(text).toContain('90 years or more');
  expect(text).not.toContain('97 years');
});

// Shows: 164.312(a)(1)
test('an age with decimals is shown in whole years to a caller who sees no names', async () => {
  const fractional = await score({ features: [...withoutAge, { code: 'age', value: 54.3726 }] });
  expect((await system.post(everyWay(fractional), undefined, await system.token('CLINICIAN'))).text).toContain(
    '54.3726',
  );
  const { text, errors } = await system.post(everyWay(fractional), undefined, await system.token('ANALYST'));
  expect(errors).toBeUndefined();
  expect(text).toContain('{"code":"age","value":54}');
  expect(text).not.toMatch(/54\.\d/);
});

test('a patient without a birth date has no age', async () => {
  const { data } = await system.post(
    `{ patient(id: "${byFeature.patientId}") { age } }`,
    undefined,
    await system.token('ANALYST'),
  );
  expect(data).toEqual({ patient: { age: null } });
});

// Shows: 164.312(a)(1)
test('a key sees exact ages only if its scopes allow it, even though its role may', async () => {
  const query = `{ prediction(id: "${byBirthDate.predictionId}") { inputs { code value } } }`;
  expect(
    (await system.post(query, undefined, await createApiKey(system, ['prediction:read', 'patient:read-exact-age'])))
      .text,
  ).toContain('{"code":"age","value":97}');
  expect((await system.post(query, undefined, await createApiKey(system, ['prediction:read']))).text).toContain(
    '{"code":"age","value":90}',
  );
});
