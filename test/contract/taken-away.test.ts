import { Types } from 'mongoose';
import { expect, test } from 'vitest';
import { careTeams } from '../support/care-team.js';
import { asAdmin } from '../support/identity.js';
import { scored, type Scored } from '../support/scenario.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem();
const { models } = system.app;
const page = /* GraphQL */ `
  {
    predictions {
      edges {
        node {
          id
          patientId
          jobId
          modelVersion
          patient {
            id
          }
          job {
            id
          }
          model {
            id
          }
          explanation {
            method
          }
        }
      }
    }
  }
`;
interface Row {
  readonly id: string;
  readonly patientId: string;
  readonly jobId: string;
  readonly modelVersion: string;
  readonly patient: object | null;
  readonly job: object | null;
  readonly model: object | null;
  readonly explanation: object | null;
}
type Page = Record<'predictions', { readonly edges: readonly { readonly node: Row }[] }>;

/** Scores two patients in an organization of their own. The second one is the newer, and first on the page. */
async function twoScored(slug: string): Promise<{ readonly kept: Scored; readonly taken: Scored }> {
  const client = await system.client('CLINICIAN', slug);
  return { kept: await scored(client), taken: await scored(client) };
}

const readPage = async (slug: string) => {
  const { data, errors } = await system.post<Page>(page, undefined, await system.token('CLINICIAN', slug));
  return { rows: data!.predictions.edges.map(({ node }) => node), errors };
};
const pathOf = (field: string) => ['predictions', 'edges', 0, 'node', field];

test('a page stands when the patient of one prediction was erased meanwhile', async () => {
  const { kept, taken } = await twoScored('erased-patient');
  await models.patients.collection.deleteOne({ _id: new Types.ObjectId(taken.patientId) });
  const { rows, errors } = await readPage('erased-patient');
  expect(rows.map(({ patient, patientId }) => [patient, patientId])).toEqual([
    [null, taken.patientId],
    [{ id: kept.patientId }, kept.patientId],
  ]);
  expect(errors).toMatchObject([{ path: pathOf('patient'), extensions: { code: 'NOT_FOUND' } }]);
});

test('a page stands when the job of one prediction has expired', async () => {
  const { kept, taken } = await twoScored('expired-job');
  await models.scoringJobs.collection.deleteOne({ _id: new Types.ObjectId(taken.jobId) });
  const { rows, errors } = await readPage('expired-job');
  expect(rows.map(({ job, jobId }) => [job, jobId])).toEqual([
    [null, taken.jobId],
    [{ id: kept.jobId }, kept.jobId],
  ]);
  expect(errors).toMatchObject([{ path: pathOf('job'), extensions: { code: 'NOT_FOUND' } }]);
});

test('a page stands when the deployment no longer has the model version of one prediction', async () => {
  const { taken } = await twoScored('gone-version');
  await models.predictions.collection.updateOne(
    { _id: new Types.ObjectId(taken.predictionId) },
    { $set: { modelVersion: '0.0.1' }, $unset: { explanation: 1 } },
  );
  const { rows, errors } = await readPage('gone-version');
  expect(rows.map(({ model, explanation }) => [model !== null, explanation !== null])).toEqual([
    [false, false],
    [true, true],
  ]);
  expect(rows[0]!.modelVersion).toBe('0.0.1');
  expect(errors).toMatchObject([{ path: pathOf('explanation'), extensions: { code: 'NOT_FOUND' } }]);
});

test('a page stands, without the rows of a patient who went to another care team', async () => {
  const teams = careTeams(system);
  const [ann, bob] = [await teams.clinician('ann'), await teams.clinician('bob')];
  const own = await teams.patientOf(['ann'], ann);
  await teams.patientOf(['bob'], bob);
  const { data, errors } = await system.post<Page>(page, undefined, ann);
  expect(errors).toBeUndefined();
  expect(data!.predictions.edges.map(({ node }) => node.patientId)).toEqual([own.id]);
});

test('a role without a permission gets the page with nulls, and an error for each', async () => {
  const { kept } = await twoScored('pooled');
  const { data, errors } = await system.post(
    '{ patients(orderBy: { field: CREATED_AT, direction: ASC }) { totalCount edges { node { id mrn sex } } } }',
    undefined,
    await system.token('ANALYST', 'pooled'),
  );
  expect(data).toMatchObject({ patients: { totalCount: 2, edges: [{ node: { id: kept.patientId, mrn: null } }, {}] } });
  expect(errors?.map(({ path }) => path)).toEqual([0, 1].map((row) => ['patients', 'edges', row, 'node', 'mrn']));
  expect(new Set(codesOf({ errors }))).toEqual(new Set(['FORBIDDEN']));

  const results = await system.post(
    '{ predictions { edges { node { probability patient { id sex features { code } } } } } }',
    undefined,
    await system.token('SERVICE', 'pooled'),
  );
  expect(results.data).toMatchObject({
    predictions: { edges: [{}, { node: { patient: { id: kept.patientId, sex: null, features: null } } }] },
  });
});

test('a page of jobs stands for an API key that may not read predictions', async () => {
  const { kept } = await twoScored('narrow-key');
  const { createApiKey } = await asAdmin<{ createApiKey: { key: string } }>(
    system,
    'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
    { input: { name: 'jobs only', scopes: ['job:read'] } },
    'narrow-key',
  );
  const { data, errors } = await system.post(
    '{ scoringJobs { edges { node { id state predictions { totalCount } failures { code } patient { id } } } } }',
    undefined,
    createApiKey.key,
  );
  const nulls = { predictions: null, failures: null, patient: null };
  expect(data).toMatchObject({
    scoringJobs: { edges: [{ node: nulls }, { node: { id: kept.jobId, state: 'COMPLETED', ...nulls } }] },
  });
  expect(codesOf({ errors })).toEqual(Array(6).fill('FORBIDDEN'));
});

test('a list for ADMIN alone takes no other answer with it', async () => {
  const { data, errors } = await system.post(
    '{ viewer { role } auditEvents { totalCount } users { totalCount } apiKeys { totalCount } breakGlassAccesses { totalCount } }',
    undefined,
    await system.token('CLINICIAN'),
  );
  expect(data).toEqual({
    viewer: { role: 'CLINICIAN' },
    auditEvents: null,
    users: null,
    apiKeys: null,
    breakGlassAccesses: null,
  });
  expect(errors?.map(({ path }) => path)).toEqual([['auditEvents'], ['users'], ['apiKeys'], ['breakGlassAccesses']]);
});
