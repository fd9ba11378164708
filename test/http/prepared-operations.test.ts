import {
  buildSchema,
  execute as interpret,
  getNamedType,
  getNullableType,
  GraphQLError,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  parse,
  print,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
} from 'graphql';
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { buildBareSchema, type SchemaDependencies } from '../../schema/build-schema.js';
import { createExecute } from '../../src/http/prepared/prepared-operations.js';

// The whole schema, with values, nulls, errors, promises and methods: from resolvers, or as properties of what the field
// above was resolved to. Each depends on its path alone, so an operation has one answer. graphql-js is the reference.
const schema = inventingSchema();
const execute = createExecute(schema);

/** A number of 0 to 1 that depends on the text alone. */
function chance(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
}

/** Numbers of 0 to 1 in a row that depends on the seed alone. */
function chances(seed: number): () => number {
  let drawn = 0;
  return () => chance(`${seed} ${(drawn += 1)}`);
}

function inventingSchema(): GraphQLSchema {
  const made = buildBareSchema({ identity: {} } as SchemaDependencies);
  for (const type of Object.values(made.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      const isRoot = [made.getQueryType(), made.getSubscriptionType()].includes(type);
      field.resolve = isRoot || chance(`resolver ${type.name}.${field.name}`) < 0.4 ? invent : undefined;
    }
  }
  return made;
}

/**
 * An object for the fields without a resolver. A property is a value, a promise, an error, a getter that throws, or a
 * method, which gets what a resolver gets.
 */
function inventedObject(type: GraphQLObjectType, place: string): object {
  const made = {};
  for (const { name, type: returnType, args } of Object.values(type.getFields())) {
    const isMethod = args.length > 0 || chance(`method ${place} ${name}`) < 0.2;
    Object.defineProperty(made, name, {
      get: () =>
        isMethod
          ? (given: object, _context: unknown, info: GraphQLResolveInfo) => inventAt(pathOf(info), given, returnType)
          : inventAt(`${place} ${name}`, {}, returnType),
    });
  }
  return made;
}

function invent(_source: unknown, args: object, _context: unknown, info: GraphQLResolveInfo): unknown {
  return inventAt(pathOf(info), args, info.returnType);
}

function pathOf({ path }: GraphQLResolveInfo): string {
  let text = '';
  for (let part: typeof path | undefined = path; part; part = part.prev)
    text = `${part.typename ?? ''}.${part.key}/${text}`;
  return text;
}

function inventAt(path: string, args: object, returnType: GraphQLOutputType): unknown {
  const kind = chance(`kind ${path}`);
  const isRequired = isNonNullType(returnType);
  const failing = isRequired ? 0.02 : 0.15;
  // graphql-js leaves a rejection without a handler where a required value beside it fails in the same turn.
  if (kind < failing && isRequired) return failLater(`rejected at ${path}`);
  if (kind < failing / 3) throw new GraphQLError(`thrown at ${path}`, { extensions: { code: 'CONFLICT' } });
  if (kind < (2 * failing) / 3) return new Error(`returned at ${path}`);
  if (kind < failing) return failLater(`rejected at ${path}`);
  const isNull = !isRequired && chance(`null ${path}`) < 0.1;
  const value = isNull ? null : valueOf(returnType, `${path} ${JSON.stringify(args)}`);
  return chance(`way ${path}`) < 0.6 ? value : later(value);
}

/** Gives a value in another turn of the event loop. */
const later = async (value: unknown): Promise<unknown> => {
  await new Promise((resolve) => setImmediate(resolve));
  return value;
};

const failLater = async (message: string): Promise<never> => {
  await later(null);
  throw new Error(message);
};

function valueOf(type: GraphQLOutputType, seed: string): unknown {
  const nullable = getNullableType(type);
  if (isListType(nullable)) {
    if (chance(`no list ${seed}`) < 0.02 && !isNonNullType(type)) return 'no list';
    return Array.from({ length: Math.floor(chance(`length ${seed}`) * 4) }, (_, index) => {
      const item = valueOf(nullable.ofType as GraphQLOutputType, `${seed} ${index}`);
      const kind = chance(`item ${seed} ${index}`);
      if (kind < 0.02 && !isNonNullType(nullable.ofType)) return new Error(`item ${seed} ${index}`);
      return kind < 0.2 ? later(item) : item;
    });
  }
  const named = getNamedType(nullable);
  if (isObjectType(named)) return inventedObject(named, seed);
  if (chance(`unfit ${seed}`) < 0.02 && !isNonNullType(type)) return { unfit: true };
  if (isEnumType(named)) {
    const values = named.getValues();
    return values[Math.floor(chance(seed) * values.length)]!.value;
  }
  const number = Math.floor(chance(seed) * 1_000);
  const values: Record<string, unknown> = {
    Int: number,
    Float: number / 7,
    Boolean: number % 2 === 0,
    DateTime: new Date(number * 86_400_000),
    LocalDate: '1960-02-03',
  };
  return values[named.name] ?? `text ${number} "quoted" \u2028`;
}

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
