import {
  execute,
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
import { createExecute, mayCompile } from '../../src/http/compiled-operations.js';

// The whole schema, with resolvers that give values, nulls, errors and promises. What one gives depends on its path alone,
// so an operation has one answer. graphql-js is the reference.
const schema = inventingSchema();
const compiledAtOnce = createExecute(schema, 0);

/** A number of 0 to 1 that depends on the text alone. */
const chance = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;

/** Numbers of 0 to 1 in a row that depends on the seed alone. */
const chances = (seed: number): (() => number) => {
  let drawn = 0;
  return () => chance(`${seed} ${(drawn += 1)}`);
};

function inventingSchema(): GraphQLSchema {
  const made = buildBareSchema({ identity: {} } as SchemaDependencies);
  for (const type of Object.values(made.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) field.resolve = invent;
  }
  return made;
}

function invent(_source: unknown, args: object, _context: unknown, info: GraphQLResolveInfo): unknown {
  let path = '';
  for (let part: typeof info.path | undefined = info.path; part; part = part.prev) path = `${part.key}/${path}`;
  const kind = chance(`kind ${path}`);
  const isRequired = isNonNullType(info.returnType);
  const failing = isRequired ? 0.02 : 0.15;
  // graphql-js leaves a rejection without a handler where a required value beside it fails in the same turn.
  if (kind < failing && isRequired) return failLater(`rejected at ${path}`);
  if (kind < failing / 3) throw new GraphQLError(`thrown at ${path}`, { extensions: { code: 'CONFLICT' } });
  if (kind < (2 * failing) / 3) return new Error(`returned at ${path}`);
  if (kind < failing) return failLater(`rejected at ${path}`);
  const value =
    chance(`null ${path}`) < 0.1 && !isRequired ? null : valueOf(info.returnType, `${path} ${JSON.stringify(args)}`);
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
  if (isListType(nullable))
    return Array.from({ length: Math.floor(chance(`length ${seed}`) * 4) }, (_, index) =>
      valueOf(nullable.ofType as GraphQLOutputType, `${seed} ${index}`),
    );
  const named = getNamedType(nullable);
  if (!isLeafType(named)) return {};
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

/** The answer as a client gets it, with the errors in one order: fields that wait may fail in any order. */
const shown = ({ data, errors = [] }: ExecutionResult): { readonly data: unknown; readonly errors: string[] } => ({
  data: JSON.parse(JSON.stringify(data ?? null)),
  errors: errors
    .map(({ message, path, extensions }) => JSON.stringify({ message, path, code: extensions?.code }))
    .sort(),
});

test('compiled operations give the answers of graphql-js, at their first and at a later run', async () => {
  let errors = 0;
  for (let seed = 0; seed < 120; seed += 1) {
    const { document, variables } = randomQuery(chances(seed));
    expect(mayCompile(document), print(document)).toBe(true);
    const expected = shown(await execute({ schema, document, variableValues: { ...variables } }));
    for (let run = 0; run < 2; run += 1) {
      const found = shown(await compiledAtOnce({ schema, document, variableValues: { ...variables } }));
      expect(found.data, print(document)).toEqual(expected.data);
      // Below a null that an error has made, graphql-js may stop before it has seen the other errors.
      expect(found.errors, print(document)).toEqual(expect.arrayContaining(expected.errors));
    }
    errors += expected.errors.length;
  }
  expect(errors).toBeGreaterThan(120);
});

test('a wrong variable gets the error of graphql-js from a compiled operation', async () => {
  const document = parse('query ($first: Int, $after: DateTime) { patients(first: $first) { totalCount } }');
  for (const variableValues of [{ first: 'ten' }, { first: 2 ** 40 }, { after: 'yesterday' }, { first: [1] }]) {
    const expected = shown(await execute({ schema, document, variableValues }));
    expect(shown(await compiledAtOnce({ schema, document, variableValues }))).toEqual(expected);
    expect(expected.errors).toHaveLength(1);
  }
});

test('each operation of a document is itself, and an unknown name gets the error of graphql-js', async () => {
  const document = parse('query A { riskModels { name } } query B { viewer { username } }');
  for (const operationName of ['A', 'B', 'A', 'C', undefined]) {
    const expected = shown(await execute({ schema, document, operationName }));
    expect(shown(await compiledAtOnce({ schema, document, operationName }))).toEqual(expected);
  }
});

test.each([
  ['a mutation', 'mutation { logout(refreshToken: "x") { ok } }'],
  ['a long document', `{ riskModels { ${'name '.repeat(2_000)} } }`],
  ['an introspection', '{ __schema { types { name } } }'],
])('%s is left to graphql-js', (_kind, text) => {
  expect(mayCompile(parse(text))).toBe(false);
});
