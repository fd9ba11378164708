import { createHash } from 'node:crypto';
import {
  getNamedType,
  getNullableType,
  GraphQLError,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
} from 'graphql';
import { buildBareSchema, type SchemaDependencies } from '../../schema/build-schema.js';

/** A number of 0 to 1 that depends on the text alone. */
function chance(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
}

/** Numbers of 0 to 1 in a row that depends on the seed alone. */
export function chances(seed: number): () => number {
  let drawn = 0;
  return () => chance(`${seed} ${(drawn += 1)}`);
}

/**
 * The whole schema, with values, nulls, errors, promises and methods: from resolvers, or as properties of what the field
 * above was resolved to. Each depends on its path alone, so an operation has one answer.
 */
export function inventingSchema(): GraphQLSchema {
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

/** Fails in another turn of the event loop. */
export const failLater = async (message: string): Promise<never> => {
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
