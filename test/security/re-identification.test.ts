import { beforeAll, expect, test } from 'vitest';
import { CreatePatientDocument, ScoringJobUpdatedDocument, SubmitScoringJobDocument } from '../../src/client/generated/graphql.js';
import { goldenFeatures, modelId, newPatient } from '../support/heart-disease.js';
import { connectSocket } from '../support/raw-socket.js';
import { startSystem } from '../support/system.js';

const system = await startSystem();
const clinician = await system.client('CLINICIAN');
const withoutAge = goldenFeatures(0).filter(({ code }) => code !== 'age');
/** A birth date that makes somebody this old today. */
const born = (age: number): string => `${new Date().getUTCFullYear() - age - 1}-12-31`;

interface Old { patientId: string; jobId: string; predictionId: string }
let byBirthDate: Old;
let byFeature: Old;

async function score(input: object): Promise<Old> {
  const { createPatient } = await clinician.request(CreatePatientDocument, { input: newPatient(input) });
  const { submitScoringJob } = await clinician.request(SubmitScoringJobDocument, { input: { patientId: createPatient.id, modelId } });
  let predictionId = '';
  for await (const { scoringJobUpdated } of clinician.subscribe(ScoringJobUpdatedDocument, { id: submitScoringJob.id })) predictionId = scoringJobUpdated.job.prediction?.id ?? '';
  return { patientId: createPatient.id, jobId: submitScoringJob.id, predictionId };
}

beforeAll(async () => {
  byBirthDate = await score({ birthDate: born(97), features: withoutAge });
  byFeature = await score({ features: [...withoutAge, { code: 'age', value: 97 }] });
});

const prediction = 'inputs { code value } explanation { contributions { feature { code } inputValue displayValue } }';
const everyWay = ({ patientId, jobId, predictionId }: Old): string =>
  `{ patient(id: "${patientId}") { age features { code value } predictions { edges { node { ${prediction} } } } }
     prediction(id: "${predictionId}") { ${prediction} patient { age features { code value } } }
     predictions(filter: { patientId: "${patientId}" }) { edges { node { ${prediction} } } }
     scoringJob(id: "${jobId}") { patient { age } prediction { ${prediction} } predictions { edges { node { ${prediction} } } } } }`;

test('whoever sees names sees the age itself', async () => {
  const token = await system.token('CLINICIAN');
  const { text, errors } = await system.post(everyWay(byBirthDate), undefined, token);
  expect(errors).toBeUndefined();
  expect(text).toContain('"age":97');
  expect(text).toContain('"displayValue":"97 years"');
});

test.each([['by birth date', () => byBirthDate], ['by feature', () => byFeature]])('an age above 89 is pooled for ANALYST on every way to it, %s', async (_name, old) => {
  const { text, errors } = await system.post(everyWay(old()), undefined, await system.token('ANALYST'));
  expect(errors).toBeUndefined();
  expect(text).not.toMatch(/\b97\b/);
  expect(text).toContain('90 years or more');
  expect(text).toContain('{"code":"age","value":90}');
});

test('an age above 89 is pooled in what a subscription of ANALYST shows', async () => {
  const socket = await connectSocket(system.url, await system.token('ANALYST'));
  socket.send({ type: 'subscribe', id: '1', payload: { query: `subscription { scoringJobUpdated(id: "${byBirthDate.jobId}") { job { state patient { age } prediction { ${prediction} } } } }` } });
  const event = JSON.stringify(await socket.next());
  expect(event).toContain('90 years or more');
  expect(event).not.toMatch(/\b97\b/);
});

test('an age below 90 is nobody in particular', async () => {
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

test('an age that was given to the day is shown in whole years to whoever sees no names', async () => {
  const fractional = await score({ features: [...withoutAge, { code: 'age', value: 54.3726 }] });
  expect((await system.post(everyWay(fractional), undefined, await system.token('CLINICIAN'))).text).toContain('54.3726');
  const { text, errors } = await system.post(everyWay(fractional), undefined, await system.token('ANALYST'));
  expect(errors).toBeUndefined();
  expect(text).toContain('{"code":"age","value":54}');
  expect(text).not.toMatch(/54\.\d/);
});

test('a patient without a birth date has no age', async () => {
  const { data } = await system.post(`{ patient(id: "${byFeature.patientId}") { age } }`, undefined, await system.token('ANALYST'));
  expect(data).toEqual({ patient: { age: null } });
});

test('a key sees exact ages where its scopes say so, and not because its role may', async () => {
  const admin = await system.token('ADMIN');
  const keyFor = async (scopes: string[]): Promise<string> => {
    const { data } = await system.post<{ createApiKey: { key: string } }>('mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }', { input: { name: 'ages', scopes } }, admin);
    return data!.createApiKey.key;
  };
  const query = `{ prediction(id: "${byBirthDate.predictionId}") { inputs { code value } } }`;
  expect((await system.post(query, undefined, await keyFor(['prediction:read', 'patient:read-exact-age']))).text).toContain('{"code":"age","value":97}');
  expect((await system.post(query, undefined, await keyFor(['prediction:read']))).text).toContain('{"code":"age","value":90}');
});
