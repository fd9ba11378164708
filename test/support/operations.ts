import {
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLOutputType,
  type GraphQLSchema,
} from 'graphql';
import { rootFields, type RootField } from './root-fields.js';

/** Gives values for an argument, by its path, e.g. `updatePatient.input.id`, and its named type. */
type Candidates = (path: string, type: string) => readonly unknown[];

/** One call of a root field. */
export interface Call {
  /** e.g. `Query.patient.id`: the root field, and the argument that this call fills besides the required ones. */
  readonly name: string;
  readonly field: string;
  readonly kind: RootField['kind'];
  readonly operation: string;
  readonly variables: Record<string, unknown>;
}

/**
 * Calls of every root field of a schema: one for each candidate of each argument, however deep in an input. So a field
 * or an argument that is added later is tried too.
 * @param depth depth of the selection; it leaves out fields that need arguments
 * @param selects tells whether a field is selected: a field that is refused can hide the others
 */
export function everyCall(
  schema: GraphQLSchema,
  candidates: Candidates,
  depth: number,
  selects: Selects = () => true,
): Call[] {
  return rootFields(schema).flatMap(({ kind, root, field }) =>
    callsOf(kind, root.name, field, candidates, (type) => selectionOf(type, depth, selects)),
  );
}

/** Chooses fields of a selection by the names of their type and of themselves. */
type Selects = (type: string, field: string) => boolean;

function callsOf(
  kind: Call['kind'],
  root: string,
  field: GraphQLField<unknown, unknown>,
  candidates: Candidates,
  select: (type: GraphQLOutputType) => string,
): Call[] {
  const declarations = field.args.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
  const given = field.args.map(({ name }) => `${name}: $${name}`).join(', ');
  const selection = select(field.type);
  const call = `${field.name}${given && `(${given})`}`;
  const operation = `${kind} ${declarations && `(${declarations})`} { ${call} ${selection} }`;
  const needed = Object.fromEntries(
    field.args
      .filter(({ type }) => isNonNullType(type))
      .map((argument) => [argument.name, neededValue(argument, `${field.name}.${argument.name}`, candidates)]),
  );
  const variations = field.args.flatMap((argument) =>
    variationsOf(argument, `${field.name}.${argument.name}`, candidates).map(({ path, value }) => ({
      path,
      variables: { ...needed, [argument.name]: value },
    })),
  );
  return [{ path: '', variables: needed }, ...variations].map(({ path, variables }) => ({
    name: `${root}.${path || field.name}`,
    field: field.name,
    kind,
    operation,
    variables,
  }));
}

interface Variation {
  readonly path: string;
  readonly value: unknown;
}

/** The values of an argument: one for each candidate of each place in it. */
function variationsOf(
  argument: GraphQLArgument | GraphQLInputField,
  path: string,
  candidates: Candidates,
): Variation[] {
  const named = getNamedType(argument.type);
  const wrap = (value: unknown): unknown => (isListType(getNullableType(argument.type)) ? [value] : value);
  if (isInputObjectType(named)) {
    const fields = Object.values(named.getFields());
    const needed = Object.fromEntries(
      fields
        .filter(({ type }) => isNonNullType(type))
        .map((field) => [field.name, neededValue(field, `${path}.${field.name}`, candidates)]),
    );
    return fields.flatMap((field) =>
      variationsOf(field, `${path}.${field.name}`, candidates).map(({ path: place, value }) => ({
        path: place,
        value: wrap({ ...needed, [field.name]: value }),
      })),
    );
  }
  return candidates(path, named.name).map((value) => ({ path, value: wrap(value) }));
}

/** A value for a required argument. */
function neededValue(argument: GraphQLArgument | GraphQLInputField, path: string, candidates: Candidates): unknown {
  const named = getNamedType(argument.type as GraphQLInputType);
  const wrap = (value: unknown): unknown => (isListType(getNullableType(argument.type)) ? [value] : value);
  if (isInputObjectType(named)) {
    const needed = Object.values(named.getFields()).filter(({ type }) => isNonNullType(type));
    return wrap(
      Object.fromEntries(needed.map((field) => [field.name, neededValue(field, `${path}.${field.name}`, candidates)])),
    );
  }
  const [first] = candidates(path, named.name);
  return wrap(first ?? plainValue(named));
}

function plainValue(type: NonNullable<ReturnType<typeof getNamedType>>): unknown {
  if (isEnumType(type)) return type.getValues()[0]!.name;
  switch (type.name) {
    case 'Int':
      return 1;
    case 'Float':
      return 1;
    case 'Boolean':
      return true;
    case 'DateTime':
      return '2000-01-01T00:00:00Z';
    case 'LocalDate':
      return '1950-01-02';
    default:
      return 'x';
  }
}

/** Selects all fields of a type that need no argument, and likewise the fields below them, down to a depth. */
export function selectionOf(type: GraphQLOutputType, depth: number, selects: Selects = () => true): string {
  const named = getNamedType(type);
  if (!isObjectType(named)) return '';
  const fields = Object.values(named.getFields()).filter(
    ({ name, args, type: of }) =>
      !args.some((argument) => isNonNullType(argument.type)) && (isLeaf(of) || depth > 1) && selects(named.name, name),
  );
  const selected = fields.map((field) => `${field.name} ${selectionOf(field.type, depth - 1, selects)}`);
  return `{ __typename ${selected.join(' ')} }`;
}

const isLeaf = (type: GraphQLOutputType): boolean => isScalarType(getNamedType(type)) || isEnumType(getNamedType(type));
