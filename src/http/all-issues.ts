import {
  getOperationAST,
  getVariableValues,
  GraphQLError,
  Kind,
  valueFromASTUntyped,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import type { Viewer } from '../auth/viewer.js';
import { BadUserInputError, type FieldError } from '../errors.js';
import { describeRequestIssue, isAboutArgument } from './coercion-error.js';
import type { ErrorFormatter } from './error-format.js';
import type { OperationStages } from './operation-stages.js';

/** Most issues with the types of variables that are told. */
const mostIssues = 50;

/** The arguments of a root field, as the caller sent them. */
type SentArguments = Readonly<Record<string, unknown>>;

/** Finds further issues with the arguments of a root field. */
export type InputIssues = (viewer: Viewer | null, field: string, sent: SentArguments) => readonly FieldError[];

/**
 * Answers values of wrong types, in variables or in the query, with one error that has every issue of the input: those
 * of the types, at which GraphQL stops, and those that a service would find. Of two issues about one field, that of the
 * type counts. Issues that are not about values stay errors of their own, each with its place in the query.
 */
export function tellAllIssues(
  schema: GraphQLSchema,
  formatError: ErrorFormatter,
  inputIssues: InputIssues,
): OperationStages {
  return {
    willSendResponse({ response: { body }, document, operation: valid, errors = [], request, contextValue }) {
      if (body.kind !== 'single' || body.singleResult.data || !document) return;
      const operation = valid ?? getOperationAST(document, request.operationName);
      if (!operation) return;
      // A document without a valid operation has errors of its own. Else all errors are of its execution.
      const ofDocument = valid ? [] : errors;
      const inQuery = ofDocument.filter(isAboutArgument);
      const rest = ofDocument.filter((error) => !inQuery.includes(error));
      if (!valid && inQuery.length === 0) return;
      const variables = withDefaults(operation, request.variables ?? {});
      const inVariables = rest.length > 0 ? [] : typeIssues(schema, operation, variables);
      const ofTypes = [...inQuery, ...inVariables];
      if (ofTypes.length === 0) return;

      const { viewer, requestId } = contextValue;
      const paths = new Set<string>();
      const isNew = ({ path }: FieldError): boolean => paths.size < paths.add(path).size;
      // GraphQL finds a wrong default of a variable twice: in the query, and in the variable.
      const fields = ofTypes.flatMap((error) => describeRequestIssue(error, schema).fields).filter(isNew);
      const others =
        rest.length > 0
          ? []
          : [...argumentsOf(operation, variables)].flatMap(([field, sent]) => inputIssues(viewer, field, sent));
      const all = new BadUserInputError([...fields, ...others.filter(({ path }) => !paths.has(path))]);
      const merged = new GraphQLError(all.message, {
        nodes: inQuery.flatMap(({ nodes }) => nodes ?? []),
        originalError: all,
      });
      body.singleResult = { errors: [merged, ...rest].map((error) => formatError(error, requestId)) };
    },
  };
}

const typeIssues = (
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: SentArguments,
): readonly GraphQLError[] =>
  getVariableValues(schema, variableDefinitions, variables, { maxErrors: mostIssues }).errors ?? [];

/** The variables as the caller sent them, with the defaults of those that are absent. */
function withDefaults({ variableDefinitions = [] }: OperationDefinitionNode, variables: SentArguments): SentArguments {
  const defaults = variableDefinitions.flatMap(({ variable, defaultValue }) =>
    defaultValue ? [[variable.name.value, valueFromASTUntyped(defaultValue)] as const] : [],
  );
  return { ...Object.fromEntries(defaults), ...variables };
}

/** The arguments of the root field, as the caller sent them. Of several root fields, paths would be ambiguous. */
function* argumentsOf(
  { selectionSet: { selections } }: OperationDefinitionNode,
  variables: SentArguments,
): Generator<readonly [string, SentArguments]> {
  const [only] = selections;
  if (selections.length !== 1 || only?.kind !== Kind.FIELD) return;
  const sent = (only.arguments ?? []).map(({ name, value }) => [name.value, valueFromASTUntyped(value, variables)]);
  yield [only.name.value, Object.fromEntries(sent) as SentArguments];
}
