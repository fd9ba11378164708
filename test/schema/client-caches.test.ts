import { InMemoryCache, gql } from '@apollo/client';
import { createClient, fetchExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import {
  buildSchema,
  execute,
  getNamedType,
  getNullableType,
  isEnumType,
  isListType,
  isObjectType,
  parse,
  printSchema,
  type GraphQLFieldResolver,
  type GraphQLOutputType,
} from 'graphql';
import { expect, test } from 'vitest';
import { buildBareSchema, type SchemaDependencies } from '../../schema/build-schema.js';
import { keys, typePolicies } from '../../src/client/generated/cache-configuration.js';
import { everyCall } from '../support/operations.js';

// Console output fails a test: both caches warn there about objects that they cannot keep.

const nothing = new Proxy({}, { get: () => ({}) }) as SchemaDependencies;
// Made from its text, so that every field is made up and none calls a service.
const schema = buildSchema(printSchema(buildBareSchema(nothing)));
/** One query of each root field, with all that can be read below it. */
const queries = everyCall(schema, () => [], 5).filter(({ kind }) => kind === 'query');

/** Answers any query with made-up objects. Each has an id of its own; lists have as many items as `items` says. */
function answering(items: number): GraphQLFieldResolver<unknown, unknown> {
  let made = 0;
  const valueOf = (type: GraphQLOutputType): unknown => {
    const nullable = getNullableType(type);
    if (isListType(nullable)) return Array.from({ length: items }, () => valueOf(nullable.ofType));
    const named = getNamedType(type);
    if (isObjectType(named)) return {};
    if (isEnumType(named)) return named.getValues()[0]!.value;
    made += 1;
    if (named.name === 'Boolean') return true;
    if (named.name === 'DateTime') return new Date(0);
    if (named.name === 'LocalDate') return '1950-01-02';
    return named.name === 'Int' || named.name === 'Float' ? made : `${named.name}-${made}`;
  };
  return (_source, _args, _context, { returnType }) => valueOf(returnType);
}

async function answer(query: string, variables: object, items: number): Promise<Record<string, unknown>> {
  const { data, errors } = await execute({
    schema,
    document: parse(query),
    variableValues: { ...variables },
    fieldResolver: answering(items),
  });
  if (errors) throw errors[0]!;
  return JSON.parse(JSON.stringify(data)) as Record<string, unknown>;
}

const freshCache = () => new InMemoryCache({ typePolicies });

test.each(queries)('Apollo keeps all of $name, and replaces it without a warning', async ({ operation, variables }) => {
  const cache = freshCache();
  const query = gql(operation);
  for (const items of [3, 1, 2]) {
    const data = await answer(operation, variables, items);
    cache.writeQuery({ query, variables, data });
    expect(cache.readQuery({ query, variables })).toEqual(data);
  }
});

/** A client of urql with graphcache. It gets each answer once, and must find it in its cache from then on. */
function urqlClient(data: Record<string, unknown>) {
  const answers = [data];
  const fetch = async (): Promise<Response> =>
    new Response(JSON.stringify({ data: answers.pop() }), { headers: { 'content-type': 'application/json' } });
  return createClient({
    url: 'http://127.0.0.1/graphql',
    preferGetMethod: false,
    exchanges: [cacheExchange({ keys }), fetchExchange],
    fetch,
  });
}

test.each(queries)('graphcache keeps all of $name without a warning', async ({ operation, variables }) => {
  const data = await answer(operation, variables, 2);
  const client = urqlClient(data);
  const query = gql(operation);
  const read = await client.query(query, variables);
  expect(read.error).toBeUndefined();
  const kept = await client.query(query, variables, { requestPolicy: 'cache-only' });
  expect(kept.data).toEqual(data);
});

const versions = {
  riskModels: ['1.0.0', '2.0.0'].map((version) => ({
    __typename: 'RiskModel',
    id: `heart-disease@${version}`,
    modelId: 'heart-disease',
    version,
  })),
};
const versionsQuery = '{ riskModels { __typename id modelId version } }';

test('both caches keep two versions of a model as two', async () => {
  const cache = freshCache();
  cache.writeQuery({ query: gql(versionsQuery), data: versions });
  expect(Object.keys(cache.extract()).filter((key) => key.startsWith('RiskModel:'))).toHaveLength(2);
  expect(cache.readQuery({ query: gql(versionsQuery) })).toEqual(versions);

  const client = urqlClient(versions);
  await client.query(versionsQuery, {});
  expect((await client.query(versionsQuery, {}, { requestPolicy: 'cache-only' })).data).toEqual(versions);
});

test('two queries of different fields of one object lose nothing', async () => {
  const cache = freshCache();
  const write = (selection: string, explanation: object): void =>
    void cache.writeQuery({
      query: gql(`{ prediction(id: "p") { __typename id explanation { __typename ${selection} } } }`),
      data: {
        prediction: { __typename: 'Prediction', id: 'p', explanation: { __typename: 'Explanation', ...explanation } },
      },
    });
  write('baseValue', { baseValue: 0.25 });
  write('outputValue', { outputValue: 0.75 });
  const both = gql('{ prediction(id: "p") { id explanation { baseValue outputValue } } }');
  expect(cache.readQuery({ query: both })).toMatchObject({
    prediction: { explanation: { baseValue: 0.25, outputValue: 0.75 } },
  });
});
