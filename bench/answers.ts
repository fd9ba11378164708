/* eslint-disable no-console -- a benchmark prints */
import './jobs/as-served.js';
import { randomBytes } from 'node:crypto';
import { Role } from '../models/index.js';
import { startBuild, type RunningBuild } from './interactive/build.js';
import { score } from './interactive/jobs.js';
import { patientIds, startBenchSystem } from './jobs/setup.js';

/*
 * Compares the GraphQL answers of two builds over the same data, byte by byte: lists, single documents, aliases, fragments,
 * conditions, nested fields and refusals, each three times, for each role. Some patients are closed to the callers. The
 * order of errors is passed over: it differs between two runs of one build too. Then it writes 200 times to this build, and
 * looks whether the next reads of the patient and of a list show what was written.
 *
 *   bench/answers.ts FOLDER     the other build, with its package.json and packages above it; npm run build first
 */
const other = process.argv[2];
if (!other) throw new Error('no build to compare with: name its folder');
const own = new URL('../dist', import.meta.url).pathname;
const passes = 3;

const fields =
  'id mrn givenName familyName birthDate age sex version createdAt updatedAt careTeam breakGlassExpiresAt ' +
  'features { code value unit recordedAt }';
const conditional =
  'query Q($names: Boolean!) { patients(first: 9) { edges { node { id ...N @include(if: $names) } } } } ' +
  'fragment N on Patient { givenName features { code } }';
const one = `query P($id: ID!) { patient(id: $id) { ${fields} } }`;

const system = await startBenchSystem(120, {
  NODE_ENV: 'production',
  ENCRYPTION_KEYS: `bench:${randomBytes(32).toString('hex')}`,
});
const { organizationId } = system.viewer;
const roles = Object.values(Role);
const tokens = new Map<Role, string>();
for (const role of roles)
  tokens.set(
    role,
    await system.app.accessTokens.sign({ username: `a-${role.toLowerCase()}`, role, organizationId }, 3_600),
  );
const ids = await patientIds(system.app.models, 120);
await system.app.models.patients.updateMany(
  { _id: { $in: ids.slice(0, 10) } },
  { $set: { careTeam: ['someone-else'] } },
);

interface Request {
  readonly query: string;
  readonly variables?: object;
}
const requests: readonly Request[] = [
  {
    query: `{ patients(first: 50) { edges { cursor node { ${fields} } } pageInfo { hasNextPage startCursor endCursor } totalCount } }`,
  },
  { query: '{ patients(first: 7) { edges { node { a: id b: mrn id features { v: value code } __typename } } } }' },
  { query: conditional, variables: { names: true } },
  { query: conditional, variables: { names: false } },
  {
    query:
      '{ patients(first: 20) { edges { node { id sex latestPrediction { id probability } ' +
      'predictions(first: 2) { edges { node { id probability } } } } } } }',
  },
  ...ids.slice(0, 20).map((id) => ({ query: one, variables: { id } })),
  {
    query:
      '{ predictions(first: 30) { edges { cursor node { id probability riskBand createdAt patient { id mrn familyName } ' +
      'inputs { code value } explanation { baseValue contributions { value feature { code } } } } } } }',
  },
  {
    query:
      '{ scoringJobs(first: 30) { edges { node { id state progress { stage percent } patient { id givenName } ' +
      'prediction { id probability } } } } }',
  },
  { query: '{ patients(first: 0) { edges { node { id } } } }' },
  { query: '{ patients(first: 3, after: "x") { edges { node { id } } } }' },
  { query: '{ patient(id: "nope") { id } }' },
  { query: '{ viewer { username role } riskModels { id version } }' },
];

async function ask({ url }: RunningBuild, request: Request, role: Role): Promise<string> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${tokens.get(role)}` },
    body: JSON.stringify(request),
  });
  return (await response.text()).replaceAll(/"requestId":"[^"]*"/g, '"requestId":""');
}

async function answersOf(build: RunningBuild): Promise<string[]> {
  const answers: string[] = [];
  for (let pass = 0; pass < passes; pass += 1)
    for (const role of roles)
      answers.push(...(await Promise.all(requests.map((request) => ask(build, request, role)))));
  return answers;
}

interface Answer {
  readonly errors?: readonly object[];
}

/** An answer with its errors in an order of their own. */
function ordered(answer: string): string {
  const parsed = JSON.parse(answer) as Answer;
  return parsed.errors
    ? JSON.stringify({ ...parsed, errors: parsed.errors.map((e) => JSON.stringify(e)).sort() })
    : answer;
}

/** Writes, and reads at once. @returns the number of reads that did not show the write */
async function staleReads(build: RunningBuild): Promise<number> {
  const data = async <T>(request: Request): Promise<T> =>
    (JSON.parse(await ask(build, request, Role.CLINICIAN)) as { readonly data: T }).data;
  interface Named {
    readonly patient: { readonly version: number; readonly givenName: string };
  }
  interface Listed {
    readonly patients: {
      readonly edges: readonly { readonly node: { readonly id: string; readonly givenName: string } }[];
    };
  }
  const named = 'query P($id: ID!) { patient(id: $id) { version givenName } }';
  const list = '{ patients(first: 120) { edges { node { id givenName } } } }';
  let stale = 0;
  for (let write = 0; write < 200; write += 1) {
    const [id, givenName] = [ids[60 + (write % 20)]!, `N${write}`];
    const { patient } = await data<Named>({ query: named, variables: { id } });
    await data({
      query: 'mutation U($input: UpdatePatientInput!) { updatePatient(input: $input) { version } }',
      variables: { input: { id, expectedVersion: patient.version, givenName } },
    });
    const [read, { patients }] = await Promise.all([
      data<Named>({ query: named, variables: { id } }),
      data<Listed>({ query: list }),
    ]);
    if (read.patient.givenName !== givenName) stale += 1;
    if (patients.edges.find(({ node }) => node.id === id)?.node.givenName !== givenName) stale += 1;
  }
  return stale;
}

const seen: string[][] = [];
for (const folder of [own, other]) {
  const build = await startBuild({ name: folder, folder }, system.environment, tokens.get(Role.CLINICIAN)!);
  if (folder === own) for (const id of ids.slice(30, 60)) await score(build.client, id);
  seen.push(await answersOf(build));
  if (folder === own) console.log(`${await staleReads(build)} of 400 reads right after a write did not show it`);
  // The second build reads the same patients as the first one did.
  if (folder === own) seen[0] = await answersOf(build);
  await build.stop();
}
const [mine, others] = seen as [string[], string[]];
const different = mine.filter((answer, index) => ordered(answer) !== ordered(others[index]!));
const characters = mine.reduce((sum, { length }) => sum + length, 0);
console.log(`${mine.length} answers, ${characters} characters: ${different.length} differ`);
await system.close();
process.exit(different.length === 0 ? 0 : 1);
