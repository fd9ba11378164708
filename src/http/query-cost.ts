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

/** What a list without an argument for its length is taken to hold: the shipped model has 13 features, most models fewer than 40. */
const plainListLength = 20;
/** Of `__schema` and `__type`: their size is that of the schema, however it is asked for. Ten times is plenty. */
const introspectionCost = 25_000;
/** Of a `totalCount`: the rows that it counts are not in the answer, but are gone through. */
const countCost = 100;
/** Arguments that say how long a list may become. */
const lengthArguments = ['first', 'top'];

/**
 * The cost of an operation is the number of values that its answer may hold: every field of every object counts one, a
 * list as often as its `first` or `top` says, or 20 times. A `totalCount` costs 100 more. A field whose making costs more than its value says so with
 * `complexity` in its declaration.
 *
 * The default limit of 250,000 lets a page of 500 predictions pass with everything that explains them (132,002 as
 * src/client/operations.graphql asks for those of a job), and refuses pages of such pages.
 */
interface QueryCost {
  /**
   * @param variables as the caller sent them; undefined when they do not fit the operation, which then does not run
   * @throws GraphQLError when there is an issue with an argument
   */
  (
    document: DocumentNode,
    operationName: string | null | undefined,
    variables: Readonly<Record<string, unknown>> | null | undefined,
  ): number | undefined;
}

/** What is known of a document: the variables that its cost depends on, and the cost for values of theirs seen before. */
interface Known {
  readonly variables: readonly string[];
  readonly costs: LRUCache<string, number>;
}

/** Sets of values remembered per document: page sizes, rarely more than a handful. */
const mostRemembered = 100;

/** @param schema a document must be valid for it */
export function createQueryCost(schema: GraphQLSchema): QueryCost {
  const known = new WeakMap<DocumentNode, Known>();
  return (document, operationName, variables) => {
    let ofDocument = known.get(document);
    if (!ofDocument) {
      ofDocument = { variables: decidingVariables(document), costs: new LRUCache({ max: mostRemembered }) };
      known.set(document, ofDocument);
    }
    const key = `${operationName ?? ''} ${ofDocument.variables.map((name) => valueKey(variables?.[name])).join(' ')}`;
    const remembered = ofDocument.costs.get(key);
    if (remembered !== undefined) return remembered;
    const cost = compute(schema, document, operationName, variables ?? {});
    if (cost !== undefined) ofDocument.costs.set(key, cost);
    return cost;
  };
}

/** Numbers and booleans are all that lengths and conditions can be; anything else does not fit and is not remembered. */
const valueKey = (value: unknown): string =>
  typeof value === 'object' && value !== null ? 'other' : `${typeof value}:${String(value).slice(0, 20)}`;

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
    estimators: [valueCount],
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

const valueCount: ComplexityEstimator = ({ field, type, args, childComplexity, node, context }) => {
  if (field.name === '__schema' || field.name === '__type') return introspectionCost;
  const own = typeof field.extensions.complexity === 'number' ? field.extensions.complexity : 1;
  const length = lengthOf(field, args);
  // Counted once a page, not once a row of it, as all that is selected below is.
  const counts = getNamedType(field.type).name.endsWith('Connection')
    ? countCost * totalCounts(node.selectionSet, (context as Context).fragments)
    : 0;
  if (!isListType(getNullableType(field.type))) return own + counts + (length ?? 1) * childComplexity;
  // The edges of a page are as many as the page's own field was asked for, which has multiplied them already.
  const items = length ?? (type.name.endsWith('Connection') ? 1 : plainListLength);
  return items * (own + childComplexity);
};

/** How often a selection asks for `totalCount`, also through fragments. They are no circles: the document is valid. */
function totalCounts(selectionSet: SelectionSetNode | undefined, fragments: Context['fragments']): number {
  return (selectionSet?.selections ?? []).reduce((sum, selection) => {
    if (selection.kind === Kind.FIELD) return sum + (selection.name.value === 'totalCount' ? 1 : 0);
    return (
      sum +
      totalCounts(
        selection.kind === Kind.INLINE_FRAGMENT ? selection.selectionSet : fragments.get(selection.name.value),
        fragments,
      )
    );
  }, 0);
}

/** What estimators are given beside the field. */
interface Context {
  readonly fragments: ReadonlyMap<string, SelectionSetNode>;
}

type EstimatedField = Parameters<ComplexityEstimator>[0]['field'];

/** What the argument for a list's length says; undefined for fields without one. Longer pages than the longest are refused by their services. */
function lengthOf(field: EstimatedField, args: Readonly<Record<string, unknown>>): number | undefined {
  const argument = field.args.find(({ name }) => lengthArguments.includes(name));
  if (!argument) return undefined;
  const given = args[argument.name] ?? argument.defaultValue ?? plainListLength;
  return Math.min(Math.max(Number(given), 0), largestPage);
}

/** The variables that lengths and conditions (`@include(if:)`, `@skip(if:)`) are given by. No other changes the cost. */
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
