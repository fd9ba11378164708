import {
  buildSchema,
  concatAST,
  execute as interpret,
  getNamedType,
  getNullableType,
  getOperationAST,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  parse,
  print,
  separateOperations,
  typeFromAST,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type NamedTypeNode,
} from 'graphql';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createExecute } from '../../src/http/prepared/prepared-operations.js';
import { chances, failLater, inventingSchema } from '../support/inventing-schema.js';

// graphql-js is the reference.
const schema = inventingSchema();
const execute = createExecute(schema);

/** Writes a query at random: fields, aliases, fragments, conditions, and variables for the arguments that need one. */
function randomQuery(random: () => number): { readonly document: DocumentNode; readonly variables: object } {
  const definitions = new Map<string, string>();
  const variables: Record<string, unknown> = {};
  let names = 0;
  const argumentsOf = (field: GraphQLField<unknown, unknown>): string => {
    const given = field.args.flatMap((argument) => {
      const named = getNamedType(argument.type);
      const isPlain =
        ['Int', 'ID', 'String', 'DateTime', 'Boolean'].includes(named.name) && !/\[/.test(String(argument.type));
      if (!isPlain || (!isRequiredArgument(argument) && random() < 0.5)) return [];
      const name = `v${(names += 1)}`;
      definitions.set(name, String(argument.type));
      if (isRequiredArgument(argument) || random() < 0.7)
        variables[name] =
          { Int: 3, Boolean: true, DateTime: '2026-01-02T03:04:05.000Z' }[named.name] ?? `given ${name}`;
      return [`${argument.name}: $${name}`];
    });
    return given.length > 0 ? `(${given.join(', ')})` : '';
  };
  const selection = (type: GraphQLObjectType, depth: number): string => {
    const usable = Object.values(type.getFields()).filter(
      (field) =>
        (depth > 0 || isLeafType(getNamedType(field.type))) &&
        field.args.every(
          (argument) => !isRequiredArgument(argument) || /^(ID|String|Int)!$/.test(String(argument.type)),
        ),
    );
    const chosen = usable.filter(() => random() < 4 / usable.length);
    const parts = chosen.map((field) => {
      const named = getNamedType(field.type);
      const inner = isObjectType(named) ? ` ${selection(named, depth - 1)}` : '';
      // Equal keys with other arguments would be refused, so each use has an alias of its own.
      const text = `a${(names += 1)}: ${field.name}${argumentsOf(field)}${condition()}${inner}`;
      return random() < 0.2 ? `... on ${type.name}${condition()} { ${text} }` : text;
    });
    return `{ __typename ${parts.join(' ')} }`;
  };
  const condition = (): string => {
    if (random() > 0.1) return '';
    const name = `c${(names += 1)}`;
    definitions.set(name, 'Boolean!');
    variables[name] = random() < 0.7;
    return random() < 0.5 ? ` @include(if: $${name})` : ` @skip(if: $${name})`;
  };
  const body = selection(schema.getQueryType()!, 4);
  const head = [...definitions].map(([name, type]) => `$${name}: ${type}`).join(', ');
  return { document: parse(`query Random${head && `(${head})`} ${body}`), variables };
}

/** The answer as a client gets it. Fields that wait may fail in any order. */
const shown = ({ data, errors = [] }: ExecutionResult): { readonly data: string; readonly errors: string[] } => ({
  data: JSON.stringify(data),
  errors: errors.map((error) => JSON.stringify({ ...error.toJSON(), original: error.originalError?.message })).sort(),
});

test('planned operations give the answers of graphql-js, at their first and at a later run', async () => {
  let errors = 0;
  let nulls = 0;
  for (let seed = 0; seed < 300; seed += 1) {
    const { document, variables } = randomQuery(chances(seed));
    const expected = shown(await interpret({ schema, document, variableValues: { ...variables } }));
    for (let run = 0; run < 2; run += 1)
      expect(shown(await execute({ document, variableValues: { ...variables } })), print(document)).toEqual(expected);
    errors += expected.errors.length;
    nulls += expected.data === 'null' ? 1 : 0;
  }
  expect(errors).toBeGreaterThan(500);
  expect(nulls).toBeGreaterThan(3);
});

/** The operations of the client and of the console, each with its fragments. */
const documents = Object.entries(
  separateOperations(
    concatAST(
      ['src/client', 'web'].flatMap((folder) =>
        readdirSync(folder, { recursive: true, encoding: 'utf8' })
          .filter((name) => name.endsWith('.graphql'))
          .map((name) => parse(readFileSync(join(folder, name), 'utf8'))),
      ),
    ),
  ),
);

/** A value for a variable. */
function givenFor(type: GraphQLInputType, condition: boolean): unknown {
  const nullable = getNullableType(type);
  if (isListType(nullable)) return [givenFor(nullable.ofType as GraphQLInputType, condition)];
  if (isEnumType(nullable)) return nullable.getValues()[0]!.name;
  if (isInputObjectType(nullable))
    return Object.fromEntries(
      Object.values(nullable.getFields())
        .filter(isRequiredInputField)
        .map((field) => [field.name, givenFor(field.type, condition)]),
    );
  const values = { Int: 3, Float: 0.5, Boolean: condition, DateTime: '2026-01-02T03:04:05.000Z' };
  return { ...values, LocalDate: '1960-02-03' }[(nullable as GraphQLNamedType).name] ?? 'given';
}

test.each(documents)('%s of client and console gets the answer of graphql-js, twice', async (_name, document) => {
  const { variableDefinitions = [] } = getOperationAST(document)!;
  for (const condition of [true, false]) {
    const variableValues = Object.fromEntries(
      variableDefinitions.map(({ variable, type }) => [
        variable.name.value,
        givenFor(typeFromAST(schema, type as NamedTypeNode) as GraphQLInputType, condition),
      ]),
    );
    const expected = shown(await interpret({ schema, document, variableValues, rootValue: {} }));
    for (let run = 0; run < 2; run += 1)
      expect(shown(await execute({ document, variableValues, rootValue: {} }))).toEqual(expected);
    expect(expected.errors.join()).not.toContain('Variable');
  }
});

test('a required value that is missing beside ones that still wait fails once, and leaves no rejection behind', async () => {
  const made = buildSchema('type Query { list: [Item!] other: Int } type Item { a: Int! b: Int! }');
  const later = (): Promise<never> => failLater('rejected');
  const rootValue = { list: [{ a: later, b: 1 }, { a: 2, b: null }, null, { a: 3, b: later }], other: 5 };
  const expected = { list: null, other: 5 };
  const unheard: unknown[] = [];
  const listen = (error: unknown): void => void unheard.push(error);
  process.on('unhandledRejection', listen);
  const { data, errors } = await createExecute(made)({ document: parse('{ list { a b } other }'), rootValue });
  await failLater('the end of the turns in which the others fail').catch(() => undefined);
  process.off('unhandledRejection', listen);
  expect(data).toEqual(expected);
  expect(errors?.map(({ message, path }) => [message, path])).toEqual([
    ['Cannot return null for non-nullable field Item.b.', ['list', 1, 'b']],
  ]);
  expect(unheard).toEqual([]);
});

test('an event of a subscription is run as graphql-js runs it', async () => {
  const document = parse(
    'subscription { predictionCreated { id probability explanation { contributions { label } } } }',
  );
  const expected = shown(await interpret({ schema, document, rootValue: {} }));
  expect(shown(await execute({ document, rootValue: {} }))).toEqual(expected);
});

/** A schema in which all is there. */
const plain = buildSchema('type Query { me: Person } type Person { id: ID! name: String friends: [Person!] }');
const person = { id: 1, name: 'Ann', friends: [{ id: 2, name: 'Bea', friends: [] }] };

/** The answers of a plan and of graphql-js to a document about a person. */
async function bothAnswers(text: string): Promise<readonly [planned: string, reference: string]> {
  const document = parse(text);
  const planned = shown(await createExecute(plain)({ document, rootValue: { me: person } }));
  const reference = shown(await interpret({ schema: plain, document, rootValue: { me: person } }));
  expect(planned).toEqual(reference);
  return [planned.data, reference.data];
}

test('keys with a meaning in JavaScript are keys of the answer', async () => {
  const [data] = await bothAnswers('{ me { __proto__: id constructor: id toJSON: id then: id __typename } }');
  expect(data).toBe('{"me":{"__proto__":"1","constructor":"1","toJSON":"1","then":"1","__typename":"Person"}}');
});

test('a wrong variable gets the error of graphql-js', async () => {
  const document = parse(
    'query ($first: Int, $after: String) { patients(first: $first, after: $after) { totalCount } }',
  );
  for (const variableValues of [{ first: 'ten' }, { first: 2 ** 40 }, { after: 7 }, { first: [1], after: {} }]) {
    const expected = shown(await interpret({ schema, document, variableValues }));
    expect(shown(await execute({ document, variableValues }))).toEqual(expected);
    expect(expected.errors.length).toBeGreaterThan(0);
  }
});

test('each operation of a document is itself, and an unknown name gets the error of graphql-js', async () => {
  const document = parse('query A { riskModels { name } } query B { viewer { username } }');
  for (const operationName of ['A', 'B', 'A', 'C', undefined]) {
    const expected = shown(await interpret({ schema, document, operationName }));
    expect(shown(await execute({ document, operationName }))).toEqual(expected);
  }
});

const times = (count: number, write: (number: number) => string): string =>
  Array.from({ length: count }, (_, number) => write(number)).join(' ');

test.each([
  ['an introspection', '{ __schema { queryType { name } } me { id } }'],
  ['more fields than a plan may have', `{ me { ${times(1_100, (n) => `a${n}: name`)} } }`],
  [
    'a document of fragments that multiply',
    `{ me { ...F9 } } fragment F0 on Person { name } ${times(9, (n) => `fragment F${n + 1} on Person { ...F${n} a${n}: friends { ...F${n} } b${n}: friends { ...F${n} } }`)}`,
  ],
  [
    'a document of many conditions',
    `query (${times(9, (n) => `$c${n}: Boolean = ${n % 2 === 0}`)}) { me { ${times(9, (n) => `a${n}: id @include(if: $c${n})`)} } }`,
  ],
])('%s is answered too', async (_kind, text) => {
  const [data] = await bothAnswers(text);
  expect(data).toMatch(/"(id|a0|name)":"/);
});
