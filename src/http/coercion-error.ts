import { isEnumType, Kind, type ASTNode, type GraphQLError, type GraphQLSchema } from 'graphql';
import type { FieldError } from '../errors.js';
import { placeInQuery, placesOfVariable } from './place-in-query.js';

/** Describes what is wrong with a request. It never contains a value of the request. */
export interface RequestIssue {
  readonly message: string;
  readonly fields: FieldError[];
}

/**
 * Rewrites messages of graphql-js that repeat the refused value, which may be a name or a birth date. The new message
 * names only the place and the expected type. All other messages of graphql-js stay: they contain only names from the
 * schema and from the text of the query.
 * https://github.com/graphql/graphql-js/blob/16.x.x/src/execution/values.ts
 * @param schema absent: the values of enums are not listed
 */
export function describeRequestIssue(
  { message, nodes }: Pick<GraphQLError, 'message' | 'nodes'>,
  schema?: GraphQLSchema,
): RequestIssue {
  const reason = (of: string): string => reasonOf(of, schema);
  const node = nodes?.[0];
  if (message.includes('Cross-Site Request Forgery'))
    return at(
      'headers',
      'a request without a JSON body needs a header that no form can send (CSRF): send "authorization: Bearer ...", ' +
        'or "apollo-require-preflight: true"',
    );
  if (message.startsWith('Syntax Error'))
    return at('query', `has a syntax error: check its brackets and quotes${parserReason(message)}`);
  if (message.startsWith('Unknown operation named')) return at('operationName', 'is not an operation of the document');
  const variable = /^Variable "\$(\w+)" (?:got invalid value|of (?:required|non-null) type)/.exec(message)?.[1];
  if (variable !== undefined) {
    const place = / at "([\w.[\]]+)"; /.exec(message)?.[1] ?? variable;
    const within = [place.slice(variable.length).replace(/^\./, ''), missingField(message) ?? unknownField(message)];
    return atEach(placesIn(variable, node, within.filter(Boolean).join('.')), reason(message));
  }
  const argument = argumentName(message);
  if (argument !== undefined) return at(argument, reason(message));
  const place = node && placeInQuery(node);
  const missing = missingField(message);
  if (missing !== undefined)
    return at([place === 'input' ? undefined : place, missing].filter(Boolean).join('.'), reason(message));
  if (isAboutValue({ message, nodes })) return at(place ?? 'query', reason(message));
  const shown = withoutSuggestion(message);
  return { message: shown, fields: [{ path: place ?? 'query', message: shown }] };
}

const at = (path: string, message: string): RequestIssue => atEach([path], message);

const atEach = (paths: readonly string[], message: string): RequestIssue => ({
  message: paths.map((path) => `${path}: ${message}`).join('; '),
  fields: paths.map((path) => ({ path, message })),
});

/**
 * Gives the parser's own reason, in brackets, without the value of any token. Reasons of other forms are left out: they
 * repeat characters of the document.
 */
function parserReason(message: string): string {
  const reason = /^Syntax Error: ((?:Expected|Unexpected) .*?)\.?$/s.exec(message)?.[1];
  const value = /\b(?:(Name|Int|Float|String|BlockString|Comment|variable) ".*"|(character): .*)/s;
  return reason ? ` (${reason.replace(value, '$1$2')})` : '';
}

const valueKinds: ReadonlySet<string> = new Set([
  Kind.INT,
  Kind.FLOAT,
  Kind.STRING,
  Kind.BOOLEAN,
  Kind.NULL,
  Kind.ENUM,
  Kind.LIST,
  Kind.OBJECT,
]);

type QueryError = Pick<GraphQLError, 'message' | 'nodes'>;

/** Tells whether an error is about a value that the caller wrote into the query. */
const isAboutValue = ({ message, nodes }: QueryError): boolean =>
  (nodes?.[0] !== undefined && valueKinds.has(nodes[0].kind)) || echoesValue.test(message);

/** Tells whether an error is about an argument in the query: its value, or that it is missing. */
export const isAboutArgument = (error: QueryError): boolean =>
  isAboutValue(error) || error.nodes?.[0]?.kind === Kind.OBJECT_FIELD || argumentName(error.message) !== undefined;

const echoesValue = /cannot represent|does not exist in "|Expected value of type|is not a valid|has invalid value/;

/**
 * The paths of a value in a variable, as our own checks name them: each begins at an argument that takes the variable.
 * Where no argument is known, it begins at the variable.
 */
function placesIn(variable: string, node: ASTNode | undefined, within: string): readonly string[] {
  const places = node?.kind === Kind.VARIABLE_DEFINITION ? placesOfVariable(node, within) : [];
  return places.length > 0 ? places : [[variable, within].filter(Boolean).join('.')];
}

/** Finds the required field that an input object does not have. */
const missingField = (message: string): string | undefined =>
  /\bField "(?:\w+\.)?(\w+)" of required type "[\w![\]]+" was not provided/.exec(message)?.[1];

/** Finds the field of an input object that its type does not define. */
const unknownField = (message: string): string | undefined =>
  /Field "(\w{1,64})" is not defined by type/.exec(message)?.[1];

/** Finds the required argument that is absent or null. */
const argumentName = (message: string): string | undefined =>
  (/^Argument "(\w+)" (?:of (?:required|non-null) type|has invalid value)/.exec(message) ??
    /^Field "\w+" argument "(\w+)" of type "[\w![\]]+" is required/.exec(message))?.[1];

/** Gives the reason of a refusal. Names of fields and types of the schema are safe to show. */
function reasonOf(message: string, schema: GraphQLSchema | undefined): string {
  const absent = /of (?:required )?type "([\w![\]]+)" (?:was not provided|is required)/.exec(message)?.[1];
  if (absent) return `is required (${absent})`;
  const unknown = /Field "(\w{1,64})" is not defined by type "(\w+)"/.exec(message);
  if (unknown) return `there is no field ${unknown[1]} in ${unknown[2]}`;
  const notNull =
    /non-null(?:able)? type "([\w![\]]+)" (?:not to be|must not be) null/.exec(message)?.[1] ??
    /Expected value of type "([\w[\]]+!)", found null/.exec(message)?.[1];
  if (notNull) return `must not be null (${notNull})`;
  const enumeration = (/does not exist in "(\w+)" enum/.exec(message) ??
    /Enum "(\w+)" cannot represent/.exec(message))?.[1];
  if (enumeration) return `must be a value of the enum ${enumeration}${valuesOf(enumeration, schema)}`;
  if (/LocalDate|local dates\b|Value is not string/.test(message)) return 'must be a calendar date, YYYY-MM-DD';
  const scalar = /\b(Int|Float|String|Boolean|ID|DateTime) cannot represent/.exec(message)?.[1];
  return (scalar && scalarReasons[scalar]) ?? 'is not of the type that the schema asks for';
}

const scalarReasons: Readonly<Record<string, string>> = {
  Int: 'must be a whole number (Int)',
  Float: 'must be a finite number (Float)',
  String: 'must be a text (String)',
  Boolean: 'must be true or false (Boolean)',
  ID: 'must be an ID, a text',
  DateTime: 'must be a date and time, e.g. 2007-12-03T10:15:30Z',
};

/** Lists the values of an enum, as in `: FEMALE, MALE`. */
function valuesOf(enumeration: string, schema: GraphQLSchema | undefined): string {
  const type = schema?.getType(enumeration);
  return isEnumType(type)
    ? `: ${type
        .getValues()
        .map(({ name }) => name)
        .join(', ')}`
    : '';
}

/** Removes "Did you mean ...", which would tell a stranger the names in the schema. */
const withoutSuggestion = (message: string): string => message.replace(/ Did you mean .*\?$/, '');
