import { getNamedType, isEnumType, isInputObjectType, type GraphQLField, type GraphQLInputObjectType } from 'graphql';
import mongoose, { Types, type mongo } from 'mongoose';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { login } from '../support/identity.js';
import { scored, submit, ended, patient } from '../support/scenario.js';
import { buildBareSchema } from '../../schema/build-schema.js';
import { rootFields } from '../support/root-fields.js';
import { startSystem } from '../support/system.js';

/** Rows of each collection. A sort in memory of the embedded MongoDB fails at a few thousand already. */
const rows = 6_000;

const system = await startSystem();
const clinician = await system.client('CLINICIAN');
const known = await scored(clinician);
const batch = await submit(clinician, { patientIds: [known.patientId] });
const schema = buildBareSchema(system.app);

/** A value for every condition of every filter. */
const values: Readonly<Record<string, unknown>> = {
  mrn: known.mrn,
  familyName: 'Sample',
  mrnPrefix: 'TEST',
  familyNamePrefix: 'Sam',
  sex: 'FEMALE',
  createdAfter: '2000-01-01T00:00:00Z',
  createdBefore: '2100-01-01T00:00:00Z',
  updatedAfter: '2000-01-01T00:00:00Z',
  patientId: known.patientId,
  jobId: known.jobId,
  modelId: 'heart-disease',
  modelVersion: '1.0.0',
  riskBands: ['LOW', 'HIGH'],
  minimumProbability: 0.2,
  maximumProbability: 0.9,
  latestModelId: 'heart-disease',
  latestRiskBands: ['LOW', 'HIGH'],
  minimumLatestProbability: 0.2,
  maximumLatestProbability: 0.9,
  states: ['QUEUED', 'COMPLETED'],
  kind: 'BATCH',
  submittedAfter: '2000-01-01T00:00:00Z',
  submittedBefore: '2100-01-01T00:00:00Z',
  submittedBy: 'the-clinician',
  actions: ['patient:read', 'job:submit'],
  outcomes: ['DENIED', 'FAILED'],
  flagged: true,
  requestId: 'none',
  username: 'the-clinician',
  occurredAfter: '2000-01-01T00:00:00Z',
  occurredBefore: '2100-01-01T00:00:00Z',
  endpointId: 'aaaaaaaaaaaaaaaaaaaaaaaa',
  state: 'FAILED',
  userId: 'aaaaaaaaaaaaaaaaaaaaaaaa',
};

interface ListQuery {
  readonly list: string;
  readonly filter: Readonly<Record<string, unknown>>;
  readonly orderBy?: { readonly field: string; readonly direction: string };
}

/**
 * Every list of the schema: with each condition in each order, and with each pair of conditions in the usual order. More
 * conditions in more orders would be thousands of reads.
 */
function listQueries(): ListQuery[] {
  const lists = rootFields(schema).filter(
    ({ kind, field }) => kind === 'query' && field.args.some(({ name }) => name === 'first'),
  );
  return lists.flatMap(({ field }) =>
    filtersOf(field).flatMap((filter) =>
      (Object.keys(filter).length > 1 ? [undefined] : ordersOf(field)).map((orderBy) => ({
        list: field.name,
        filter,
        ...(orderBy && { orderBy }),
      })),
    ),
  );
}

function inputOf(field: GraphQLField<unknown, unknown>, name: string): GraphQLInputObjectType | undefined {
  const type = field.args.find((argument) => argument.name === name)?.type;
  const named = type && getNamedType(type);
  return isInputObjectType(named) ? named : undefined;
}

function filtersOf(field: GraphQLField<unknown, unknown>): Record<string, unknown>[] {
  const names = Object.keys(inputOf(field, 'filter')?.getFields() ?? {});
  for (const name of names) if (!(name in values)) throw new Error(`give the walk a value for the condition ${name}`);
  const conditions = names.map((name) => ({ [name]: values[name] }));
  const pairs = conditions.flatMap((a, at) => conditions.slice(at + 1).map((b) => ({ ...a, ...b })));
  return [{}, ...conditions, ...pairs.filter((pair) => !('mrnPrefix' in pair && 'familyNamePrefix' in pair))];
}

function ordersOf(field: GraphQLField<unknown, unknown>): (ListQuery['orderBy'] | undefined)[] {
  const enumOf = (name: string): string[] => {
    const type = getNamedType(inputOf(field, 'orderBy')?.getFields()[name]?.type);
    return isEnumType(type) ? type.getValues().map((value) => value.name) : [];
  };
  return [
    undefined,
    ...enumOf('field').flatMap((name) => enumOf('direction').map((direction) => ({ field: name, direction }))),
  ];
}

/** Copies the one document of a collection until the collection has `rows`. */
async function multiply(
  collection: mongoose.Collection,
  change: (number: number) => Record<string, unknown>,
): Promise<void> {
  const document = await collection.findOne({});
  const copies = Array.from({ length: rows }, (_unused, number) => ({
    ...document,
    _id: new Types.ObjectId(),
    ...change(number),
  }));
  await collection.insertMany(copies);
}

beforeAll(async () => {
  await ended(clinician, batch.id);
  const admin = await system.token('ADMIN');
  await patient(clinician, { familyName: 'Sample', sex: 'FEMALE', careTeam: ['the-clinician'] });
  for (const mutation of [
    'createUser(input: {username: "one", password: "a long enough pass phrase", role: ANALYST}) { id }',
    'createApiKey(input: {name: "one", scopes: ["prediction:read"]}) { key }',
    'createWebhookEndpoint(input: {url: "https://care.invalid/"}) { secret }',
  ])
    expect((await system.post(`mutation { ${mutation} }`, {}, admin)).errors).toBeUndefined();
  const { models, prefixSearch } = system.app;
  await prefixSearch.switch(new Types.ObjectId(await system.organizationId()), true, 0);
  while (!(await prefixSearch.work()));
  // A reason can be decrypted only in its own document, so both pages that are read hold real accesses.
  for (const mrn of ['closed-1', 'closed-2', 'closed-3', 'closed-4']) {
    const closed = await patient(clinician, { mrn });
    await models.patients.updateOne({ _id: closed.id }, { $set: { careTeam: ['other'] } });
    const grant =
      'mutation ($id: ID!) { breakGlass(input: {patientId: $id, reason: "seen in the emergency room"}) { id } }';
    expect((await system.post(grant, { id: closed.id }, await system.token('CLINICIAN'))).errors).toBeUndefined();
  }
  const time = (number: number): Date => new Date(Date.UTC(2020, 0, 1) + number);
  await multiply(models.patients.collection, (number) => ({
    mrnIndex: `copy-${number}`,
    sex: number % 3 ? 'MALE' : 'FEMALE',
    createdAt: time(number),
    updatedAt: time(-number),
    latestResults: {
      'heart-disease': {
        source: new Types.ObjectId(),
        value: (number % 1_000) / 1_000,
        riskBand: number % 2 ? 'LOW' : 'HIGH',
        modelVersion: '1.0.0',
        createdAt: time(number),
        ...(number % 10 === 0 && { unit: 'd' }),
      },
    },
  }));
  await multiply(models.scoringJobs.collection, (number) => ({
    status: {
      ...({ sequence: 1, stage: 'DONE', processed: 1, failed: 0, attempts: 1 } as const),
      state: number % 2 ? 'COMPLETED' : 'FAILED',
    },
    patient: new Types.ObjectId(),
  }));
  const organization = new Types.ObjectId(await system.organizationId());
  const logged = (number: number) => ({ organization, number: number + 10 });
  await multiply(models.predictions.collection, (number) => ({
    job: new Types.ObjectId(),
    patient: new Types.ObjectId(),
    logged: logged(number),
  }));
  await multiply(models.predictionBlocks.collection, (chunk) => ({
    chunk: chunk + 10,
    rows: [],
    logged: logged(chunk),
  }));
  await multiply(models.auditEvents.collection, (number) => ({ sequence: 1_000_000 + number, hash: `${number}` }));
  await multiply(models.users.collection, (number) => ({ username: `user-${number}` }));
  await login(system, { id: '', organization: 'alpha', username: 'one', password: 'a long enough pass phrase' });
  const user = new Types.ObjectId(values['userId'] as string);
  await models.sessions.updateMany({}, { $set: { user } });
  await multiply(models.sessions.collection, (number) => ({
    familyHash: `hash-${number}`,
    ...(number % 2 && { endedAt: time(number) }),
  }));
  await multiply(models.apiKeys.collection, (number) => ({ keyHash: `hash-${number}`, prefix: `prefix-${number}` }));
  const endpoint = (await models.webhookEndpoints.findOne())!;
  await models.webhookDeliveries.collection.insertOne({
    _id: new Types.ObjectId(),
    organization: endpoint.organization,
    endpoint: new Types.ObjectId('aaaaaaaaaaaaaaaaaaaaaaaa'),
    job: new Types.ObjectId(known.jobId),
    jobKind: 'SINGLE',
    jobState: 'COMPLETED',
    sequence: 1,
    occurredAt: time(0),
    state: 'FAILED',
    attempts: 1,
    nextAttemptAt: time(0),
  });
  await multiply(models.webhookDeliveries.collection, (sequence) => ({ sequence: sequence + 2 }));
  await multiply(models.breakGlassAccesses.collection, (number) => ({
    _id: Types.ObjectId.createFromTime(number + 1),
  }));
}, 120_000);

/** A read that a request made, with the means to explain it. */
interface Read {
  readonly collection: string;
  explain(): Promise<unknown>;
}

/** Tells whether a filter names one document by its id. The index of ids serves it, so there is no plan to check. */
const isById = (filter: unknown): boolean =>
  typeof filter === 'object' && filter !== null && !Array.isArray(filter) && Object.keys(filter).join() === '_id';

/** Watches the reads that MongoDB gets until the test ends. */
function watchReads() {
  const { Collection } = mongoose.mongo;
  const spies = [vi.spyOn(Collection.prototype, 'find'), vi.spyOn(Collection.prototype, 'aggregate')];
  onTestFinished(() => spies.forEach((spy) => spy.mockRestore()));
  return spies;
}

/** Gives the reads that MongoDB gets while `work` runs. */
async function readsOf(spies: ReturnType<typeof watchReads>, work: () => Promise<unknown>): Promise<Read[]> {
  // A spy that keeps all calls would keep all their documents.
  spies.forEach((spy) => spy.mockClear());
  await work();
  const calls = spies.flatMap(({ mock }) =>
    mock.calls.map((call, index) => ({ call, collection: mock.contexts[index] as mongo.Collection })),
  );
  return calls
    .filter(({ call }) => !isById(call[0]))
    .map(({ call, collection }) => ({
      collection: collection.collectionName,
      explain: () =>
        Array.isArray(call[0])
          ? collection.aggregate(call[0], call[1]).explain('queryPlanner')
          : collection.find(call[0] as object, call[1] as object).explain('queryPlanner'),
    }));
}

/** The stages of a plan, and of all plans within it. The command that was explained and rejected plans are no part. */
function stagesOf(plan: unknown): string[] {
  if (Array.isArray(plan)) return plan.flatMap(stagesOf);
  if (typeof plan !== 'object' || plan === null) return [];
  return Object.entries(plan).flatMap(([key, value]) =>
    key === 'stage'
      ? [String(value)]
      : key === '$sort'
        ? ['SORT']
        : key === 'rejectedPlans' || key === 'command'
          ? []
          : stagesOf(value),
  );
}

test('every filter and order of every list is served by an index, without a sort in memory', async () => {
  const admin = await system.token('ADMIN');
  const viewer = { patients: await system.token('CLINICIAN'), other: admin };
  const bad: string[] = [];
  const spies = watchReads();
  const queries = listQueries();
  for (const { list, filter, orderBy } of queries) {
    const name = `${list} ${JSON.stringify({ filter, orderBy })}`;
    const selection = 'pageInfo { hasNextPage endCursor }';
    const field = schema.getQueryType()!.getFields()[list]!;
    const parameters = field.args
      .filter(({ name: argument }) => ['filter', 'orderBy', 'after'].includes(argument))
      .map(({ name: argument, type }) => ({ argument, type: String(type) }));
    const document = `query (${parameters.map(({ argument, type }) => `$${argument}: ${type}`).join(', ')}) {
      ${list}(first: 2, ${parameters.map(({ argument }) => `${argument}: $${argument}`).join(', ')}) { ${selection} }
    }`;
    const token = list === 'patients' || list === 'predictions' || list === 'scoringJobs' ? viewer.patients : admin;
    let after: string | null = null;
    for (let page = 0; page < 2; page += 1) {
      const reads = await readsOf(spies, async () => {
        const answer = await system.post<Record<string, { pageInfo: { endCursor: string | null } }>>(
          document,
          { ...(Object.keys(filter).length > 0 && { filter }), orderBy, after },
          token,
        );
        if (answer.errors) bad.push(`${name}: ${JSON.stringify(answer.errors)}`);
        after = answer.data?.[list]?.pageInfo.endCursor ?? null;
      });
      if (reads.length === 0) bad.push(`${name}: no read was recorded`);
      for (const read of reads) {
        const plan = await read.explain().catch((error: unknown) => {
          bad.push(`${name}, page ${page + 1}: no plan of ${read.collection}: ${String(error)}`);
        });
        const stages = stagesOf(plan);
        for (const stage of ['COLLSCAN', 'SORT'])
          if (stages.includes(stage)) bad.push(`${name}, page ${page + 1}: ${stage} in ${read.collection}: ${stages}`);
      }
      if (after === null) break;
    }
  }
  expect(bad).toEqual([]);
  expect(queries.length).toBeGreaterThan(100);
}, 300_000);
