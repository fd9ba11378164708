import {
  getNamedType,
  getNullableType,
  isListType,
  isObjectType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';

/**
 * Types whose `id` names something else than the object itself. An `AuditSubject` names the object of an event, of any
 * kind; a payload names what is gone.
 */
const idOfAnother: ReadonlySet<string> = new Set(['AuditSubject', 'DeletePatientPayload']);

/**
 * Types of which a later answer replaces an earlier one whole: parts of two moments do not belong together. Of every
 * other type without an id, a cache may join the fields that two queries have read.
 */
const ofOneMoment: ReadonlySet<string> = new Set(['JobError', 'JobProgress', 'PageInfo', 'ScoringJobEvent']);

/**
 * Writes the module that tells normalising caches how to keep the objects of the API. A type with an id is kept under
 * it. Any other type is a part of the object that has it. A list is replaced whole.
 */
export function cacheConfiguration(schema: GraphQLSchema): string {
  const types = Object.values(schema.getTypeMap())
    .filter((type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith('__'))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const roots = [schema.getMutationType(), schema.getSubscriptionType()];
  const policies = types
    .filter((type) => !roots.includes(type))
    .map((type) => `  ${type.name}: ${policyOf(type, schema)},`);
  const embedded = types.filter((type) => !isRoot(type, schema) && !hasOwnId(type));
  return [
    '// Written by "npm run generate" from the schema. Do not edit.',
    '',
    '/** For Apollo Client: `new InMemoryCache({ typePolicies })`. */',
    'export const typePolicies = {',
    ...policies,
    '} as const;',
    '',
    '/** The key of an object that is a part of another one. */',
    'const embedded = (): null => null;',
    '',
    "/** For urql's graphcache: `cacheExchange({ keys })`. Types that are not here have an `id`. */",
    'export const keys = {',
    ...embedded.map(({ name }) => `  ${name}: embedded,`),
    '};',
    '',
  ].join('\n');
}

const isRoot = (type: GraphQLObjectType, schema: GraphQLSchema): boolean =>
  [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].includes(type);

const hasOwnId = (type: GraphQLObjectType): boolean => 'id' in type.getFields() && !idOfAnother.has(type.name);

function policyOf(type: GraphQLObjectType, schema: GraphQLSchema): string {
  const lists = Object.values(type.getFields())
    .filter((field) => isListType(getNullableType(field.type)) && isObjectType(getNamedType(field.type)))
    .map(({ name }) => `${name}: { merge: false }`);
  const fields = lists.length > 0 ? [`fields: { ${lists.join(', ')} }`] : [];
  if (isRoot(type, schema)) return `{ ${fields.join(', ')} }`;
  const kept = hasOwnId(type)
    ? ["keyFields: ['id']"]
    : ['keyFields: false', `merge: ${String(!ofOneMoment.has(type.name))}`];
  return `{ ${[...kept, ...fields].join(', ')} }`;
}
