import { getComplexity, type ComplexityEstimator } from 'graphql-query-complexity';
import {
  getNamedType,
  getNullableType,
  getOperationAST,
  getVariableValues,
  isListType,
  Kind,
  visit,
  type DocumentNode,
  type GraphQLSchema,
  type SelectionSetNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { largestPage } from '../scope/pagination.js';

/**
 * Assumed length of a list without an argument for it. The shipped model has 13 features, most models fewer than 40.
 */
const plainListLength = 20;
/**
 * Cost of `__schema` or `__type`, whose answer has the size of the schema. The default limit allows ten per operation.
 */
const introspectionCost = 50_000;
/** Cost of a `totalCount`: the database goes through the counted rows, although they are not in the answer. */
const countCost = 100;
/** Cost of reading a page, whatever it holds: its queries, the check of care teams and its audit event. */
const pageCost = 900;
/** Cost of each row of a page: reading it from the database, and its id in the audit event. */
const rowCost = 40;
/** Cost of an operation's own fields: the round trips of a read by id or of a change. */
const rootCosts: Readonly<Record<string, number>> = { Query: 100, Mutation: 300 };
/** Arguments that make the server compute a result in place of reading it, and their cost. */
const computingArguments: Readonly<Record<string, readonly string[]>> = {
  'Prediction.explanation': ['method', 'class'],
  'RiskSimulation.explanation': ['method', 'class'],
};
const computationCost = 500;
/** Characters of an alias that cost one. They are repeated in every row. */
const aliasCharacters = 25;
/** Arguments that decide the length of a list: a number of rows, or a list with one input per row. */
const lengthArguments = ['last', 'first', 'top', 'inputs'];

/**
 * Computes the cost of an operation. A cost of 1 is one plain value: about 25 bytes of the answer, and 3 microseconds of
 * the event loop. All other costs are multiples of it, measured with `bench/cost.ts fields`.
 *
 * - Every field of every object costs one, and one more per 25 characters of its alias.
 * - The fields of a list count once per item: `first` or `top` items, one per item of `inputs`, or 20 without such an
 *   argument.
 * - A page costs 900, and each of its rows 40, when its rows are read. A `totalCount` costs 100.
 * - A field of a query costs 100 more, one of a mutation 300.
 * - A field that is expensive to compute or long declares its cost as `complexity`: a waterfall of 13 KB costs 600.
 *
 * The default limit of 500,000 admits a page of 500 predictions with their inputs and contributions twice, and one of 400
 * with their waterfalls too once. A page whose rows hold long pages is refused.
 *
 * A computation has these steps:
 *
 * 1. Find the variables on which the cost of the document depends (`decidingVariables`).
 * 2. Look for a remembered cost of the same document with the same values of these variables.
 * 3. Else check that the variables fit the operation, and leave out the document's other operations (`alone`).
 * 4. Add up the costs field by field (`fieldCost`), and remember the sum.
 */
interface QueryCost {
  /**
   * @param variables as the caller sent them
   * @returns undefined when the variables do not fit the operation, which then does not run
   * @throws GraphQLError when there is an issue with an argument
   */
  (
    document: DocumentNode,
    operationName: string | null | undefined,
    variables: Readonly<Record<string, unknown>> | null | undefined,
  ): number | undefined;
}

/** Remembered facts of a document: its number among all documents, and the variables on which its cost depends. */
interface Known {
  readonly number: number;
  readonly variables: readonly string[];
}

/**
 * Costs remembered by one process, each for a document and a set of values. All documents share one cache: with a cache
 * of its own, a document of a few characters would take kilobytes.
 */
const mostRemembered = 10_000;
const mostCharacters = 1024 * 1024;

/** @param schema documents must be valid for it */
export function createQueryCost(schema: GraphQLSchema): QueryCost {
  const known = new WeakMap<DocumentNode, Known>();
  const costs = new LRUCache<string, number>({
    max: mostRemembered,
    // A caller chooses the length of names, so the characters of all keys are limited too.
    maxSize: mostCharacters,
    maxEntrySize: 2_000,
    sizeCalculation: (_cost, key) => key.length,
  });
  let documents = 0;
  return (document, operationName, variables) => {
    let ofDocument = known.get(document);
    if (!ofDocument) {
      ofDocument = { number: (documents += 1), variables: decidingVariables(document) };
      known.set(document, ofDocument);
    }
    const values = ofDocument.variables.map((name) => valueKey(variables?.[name])).join(' ');
    const key = `${ofDocument.number} ${operationName ?? ''} ${values}`;
    const remembered = costs.get(key);
    if (remembered !== undefined) return remembered;
    const cost = compute(schema, document, operationName, variables ?? {});
    if (cost !== undefined) costs.set(key, cost);
    return cost;
  };
}

/**
 * Writes a value as part of a key. Lengths are numbers or lists, conditions are booleans; other values do not fit the
 * operation.
 */
const valueKey = (value: unknown): string =>
  Array.isArray(value)
    ? `list:${value.length}`
    : typeof value === 'object' && value !== null
      ? 'other'
      : `${typeof value}:${String(value).slice(0, 20)}`;

function compute(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
  variables: Readonly<Record<string, unknown>>,
): number | undefined {
  const operation = getOperationAST(document, operationName);
  if (!operation) return undefined;
  const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables, { maxErrors: 1 });
  if (errors) return undefined;
  const context = {
    fragments: new Map(
      document.definitions.flatMap((part) =>
        part.kind === Kind.FRAGMENT_DEFINITION ? [[part.name.value, part.selectionSet]] : [],
      ),
    ),
  } satisfies Context;
  return getComplexity({
    schema,
    query: alone(document, operation),
    variables: { ...variables },
    estimators: [fieldCost],
    maxQueryNodes: Number.MAX_SAFE_INTEGER,
    context,
  });
}

/** The document without its other operations, which do not run. */
function alone(document: DocumentNode, operation: DocumentNode['definitions'][number]): DocumentNode {
  return {
    ...document,
    definitions: document.definitions.filter(
      (definition) => definition === operation || definition.kind !== Kind.OPERATION_DEFINITION,
    ),
  };
}

const fieldCost: ComplexityEstimator = ({ field, type, args, childComplexity, node, context }) => {
  if (field.name === '__schema' || field.name === '__type') return introspectionCost;
  const root = rootCosts[type.name] ?? 0;
  const own =
    (typeof field.extensions.complexity === 'number' ? field.extensions.complexity : 1) +
    costOfArguments(`${type.name}.${field.name}`, args) +
    Math.floor((node.alias?.value.length ?? 0) / aliasCharacters);
  const length = lengthOf(field, args);
  // A totalCount counts once per page. All other selected fields of a page count once per row.
  const page = getNamedType(field.type).name.endsWith('Connection')
    ? costOfPage(node.selectionSet, length ?? 1, (context as Context).fragments)
    : 0;
  if (!isListType(getNullableType(field.type))) return root + own + page + (length ?? 1) * childComplexity;
  // The field that returns the page multiplies the cost by its length, so `edges` does not multiply again.
  const items = length ?? (type.name.endsWith('Connection') ? 1 : plainListLength);
  return root + items * (own + childComplexity);
};

/** Cost of the arguments that make the server compute a result in place of reading it. */
const costOfArguments = (field: string, args: Readonly<Record<string, unknown>>): number =>
  (computingArguments[field] ?? []).some((name) => args[name] != null) ? computationCost : 0;

/** Cost of a connection in addition to the values of its rows. A page that only counts reads no rows. */
function costOfPage(selectionSet: SelectionSetNode | undefined, rows: number, fragments: Context['fragments']): number {
  const names = fieldNames(selectionSet, fragments);
  const counts = names.filter((name) => name === 'totalCount').length;
  return countCost * counts + (names.some((name) => name !== 'totalCount') ? pageCost + rowCost * rows : 0);
}

/** Names of the selected fields, also in fragments. A valid document has no circles of fragments. */
function fieldNames(selectionSet: SelectionSetNode | undefined, fragments: Context['fragments']): string[] {
  return (selectionSet?.selections ?? []).flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection.name.value];
    const inner =
      selection.kind === Kind.INLINE_FRAGMENT ? selection.selectionSet : fragments.get(selection.name.value);
    return fieldNames(inner, fragments);
  });
}

/** Data that estimators get in addition to the field. */
interface Context {
  readonly fragments: ReadonlyMap<string, SelectionSetNode>;
}

type EstimatedField = Parameters<ComplexityEstimator>[0]['field'];

/**
 * Reads the argument for a list's length. Services refuse pages that are longer than the longest.
 * @returns undefined for a field without such an argument
 */
function lengthOf(field: EstimatedField, args: Readonly<Record<string, unknown>>): number | undefined {
  const known = lengthArguments.flatMap((name) => field.args.find((argument) => argument.name === name) ?? []);
  if (known.length === 0) return undefined;
  const given = known.map(({ name, defaultValue }) => args[name] ?? defaultValue).find((length) => length != null);
  if (Array.isArray(given)) return given.length;
  return Math.min(Math.max(Number(given ?? plainListLength), 0), largestPage);
}

/** Finds the variables that give lengths and conditions (`@include(if:)`, `@skip(if:)`). Only these change the cost. */
function decidingVariables(document: DocumentNode): string[] {
  const names = new Set<string>();
  visit(document, {
    Argument({ name, value }) {
      if (value.kind === Kind.VARIABLE && (name.value === 'if' || lengthArguments.includes(name.value)))
        names.add(value.name.value);
    },
  });
  return [...names];
}
