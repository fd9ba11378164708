import {
  isEnumType,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import { rootFields, type RootField } from './root-fields.js';

// How `argumentPlaces` works:
// 1. It starts at every root field and follows each field down. Each field is visited once.
// 2. It takes every argument of the field apart, down to the leaves of inputs and the items of lists.
// 3. It wraps each leaf in a whole operation: with the arguments on the way, valid values for other required ones, and
//    the smallest selection.

/** One scalar or enum that a caller can give, and an operation in which it is the variable `$value`. */
export interface ArgumentPlace {
  /** e.g. `Query.patients(filter.mrn)` */
  readonly name: string;
  readonly kind: RootField['kind'];
  readonly rootField: string;
  /** Type of the variable, e.g. `String`. */
  readonly type: string;
  /** Writes the operation with `$value` or a literal in the place. */
  write(value: string): string;
}

/** Valid values for the other arguments that an operation requires: by root field and argument, else by type. */
interface FillIn {
  readonly arguments: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly types: Readonly<Record<string, string>>;
}

/** Every argument of every field that a caller can reach, down to the leaves of inputs and the items of lists. */
export function argumentPlaces(schema: GraphQLSchema, fillIn: FillIn): ArgumentPlace[] {
  const seen = new Set<string>();
  return rootFields(schema).flatMap(({ kind, root, field }) =>
    placesOf(field, root, { kind, rootField: field.name, around: (inner) => `${kind} { ${inner} }` }, fillIn, seen),
  );
}

interface Way {
  readonly kind: ArgumentPlace['kind'];
  readonly rootField: string;
  /** Writes the operation around a selection. */
  around(inner: string): string;
}

function placesOf(
  field: GraphQLField<unknown, unknown>,
  owner: GraphQLObjectType,
  way: Way,
  fillIn: FillIn,
  seen: Set<string>,
): ArgumentPlace[] {
  const coordinate = `${owner.name}.${field.name}`;
  if (seen.has(coordinate)) return [];
  seen.add(coordinate);
  const given = fillIn.arguments[field.name] ?? {};
  const selection = smallestSelection(getNamedType(field.type) as GraphQLObjectType);
  const call = (argument: string, value: string): string => {
    const others = field.args
      .filter(({ name, type }) => name !== argument && (isNonNullType(type) || name in given))
      .map((other) => `${other.name}: ${given[other.name] ?? required(other, fillIn)}`);
    return `${field.name}(${[`${argument}: ${value}`, ...others].join(', ')})${selection}`;
  };
  const own = field.args.flatMap((argument) =>
    leaves(argument, fillIn).map(({ path, type, write }) => ({
      name: `${coordinate}(${path})`,
      kind: way.kind,
      rootField: way.rootField,
      type,
      write: (value: string) =>
        way
          .around(call(argument.name, write(value)))
          .replace(/^\w+/, value === '$value' ? `${way.kind} ($value: ${type})` : way.kind),
    })),
  );
  const result = getNamedType(field.type);
  if (!isObjectType(result)) return own;
  const needed = field.args.flatMap(({ name, type }) =>
    given[name] !== undefined
      ? [`${name}: ${given[name]}`]
      : isNonNullType(type)
        ? [`${name}: ${fillIn.types[getNamedType(type).name]}`]
        : [],
  );
  const inside: Way = {
    ...way,
    around: (inner) => way.around(`${field.name}${needed.length > 0 ? `(${needed.join(', ')})` : ''} { ${inner} }`),
  };
  return [
    ...own,
    ...Object.values(result.getFields()).flatMap((child) => placesOf(child, result, inside, fillIn, seen)),
  ];
}

interface Leaf {
  readonly path: string;
  readonly type: string;
  write(value: string): string;
}

function leaves(input: GraphQLArgument | GraphQLInputField, fillIn: FillIn, within: readonly string[] = []): Leaf[] {
  return leavesOf(input.type, [...within, input.name].join('.'), fillIn, within);
}

function leavesOf(type: GraphQLInputType, path: string, fillIn: FillIn, within: readonly string[]): Leaf[] {
  const nullable = getNullableType(type);
  if (isLeafType(nullable)) return [{ path, type: String(type), write: (value) => value }];
  if (isListType(nullable))
    return leavesOf(nullable.ofType, `${path}[]`, fillIn, within).map((leaf) => ({
      ...leaf,
      write: (value) => `[${leaf.write(value)}]`,
    }));
  if (!isInputObjectType(nullable)) return [];
  const fields = Object.values(nullable.getFields());
  return fields.flatMap((field) =>
    leaves(field, fillIn, [path]).map((leaf) => {
      const others = fields
        .filter((other) => other !== field && isNonNullType(other.type))
        .map((other) => `${other.name}: ${required(other, fillIn)}`);
      return {
        ...leaf,
        write: (value: string) => `{ ${[`${field.name}: ${leaf.write(value)}`, ...others].join(', ')} }`,
      };
    }),
  );
}

/** A valid value of a type that must be given. */
function required({ type }: GraphQLArgument | GraphQLInputField, fillIn: FillIn): string {
  const nullable = getNullableType(type);
  if (isListType(nullable)) return '[]';
  if (isInputObjectType(nullable))
    return `{ ${Object.values(nullable.getFields())
      .filter((field) => isNonNullType(field.type))
      .map((field) => `${field.name}: ${required(field, fillIn)}`)
      .join(', ')} }`;
  const named = getNamedType(type);
  const value = fillIn.types[named.name] ?? (isEnumType(named) ? named.getValues()[0]!.name : undefined);
  if (value === undefined) throw new Error(`no valid value is known for the type ${String(type)}: add one`);
  return value;
}

/** Selection that shows if something was found: every leaf of the object, and of the nodes of a page. */
function smallestSelection(type: GraphQLObjectType, depth = 0): string {
  if (!isObjectType(type) || depth > 4) return '';
  const fields = Object.values(type.getFields()).filter(({ args }) =>
    args.every((argument) => !isNonNullType(argument.type)),
  );
  const leafFields = fields
    .filter((field) => isLeafType(getNamedType(field.type)) && field.args.length === 0)
    .map(({ name }) => name);
  const inner = ['edges', 'node'].flatMap((name) => fields.find((field) => field.name === name) ?? []);
  const nested = inner.map(
    (field) => `${field.name}${smallestSelection(getNamedType(field.type) as GraphQLObjectType, depth + 1)}`,
  );
  return ` { ${[...leafFields, ...nested, '__typename'].join(' ')} }`;
}
