import type { ApolloServerPlugin } from '@apollo/server';
import {
  getVariableValues,
  Kind,
  valueFromASTUntyped,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import type { Viewer } from '../auth/viewer.js';
import { BadUserInputError, type FieldError } from '../errors.js';
import { describeRequestIssue } from './coercion-error.js';
import type { ErrorFormatter } from './error-format.js';
import type { createOperationContext } from './operation-context.js';

/** Most issues with the types of variables that are told. */
const mostIssues = 50;

/** Finds further issues with the argument `input` of a root field. */
export type InputIssues = (viewer: Viewer | null, field: string, input: unknown) => readonly FieldError[];

/**
 * Answers variables of wrong types with one error that has every issue of the input: those of the types, at which
 * GraphQL stops, and those that a service would find. Of two issues about one field, that of the type counts.
 */
export function tellAllIssues(
  schema: GraphQLSchema,
  formatError: ErrorFormatter,
  inputIssues: InputIssues,
): ApolloServerPlugin<ReturnType<typeof createOperationContext>> {
  return {
    async requestDidStart() {
      return {
        async willSendResponse({ response: { body }, operation, request, contextValue: { viewer, requestId } }) {
          if (body.kind !== 'single' || !operation || body.singleResult.data) return;
          const variables = request.variables ?? {};
          const definitions = operation.variableDefinitions ?? [];
          const { errors } = getVariableValues(schema, definitions, variables, { maxErrors: mostIssues });
          if (!errors) return;
          const ofTypes = errors.flatMap((error) => describeRequestIssue(error, schema).fields);
          const paths = new Set(ofTypes.map(({ path }) => path));
          const others = [...inputsOf(operation, variables)].flatMap(([field, input]) =>
            inputIssues(viewer, field, input).filter(({ path }) => !paths.has(path)),
          );
          body.singleResult = { errors: [formatError(new BadUserInputError([...ofTypes, ...others]), requestId)] };
        },
      };
    },
  };
}

/** The argument `input` of the root field, as the caller sent it. Of several root fields, paths would be ambiguous. */
function* inputsOf(
  { selectionSet: { selections } }: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): Generator<readonly [string, unknown]> {
  const [only] = selections;
  if (selections.length !== 1 || only?.kind !== Kind.FIELD) return;
  const argument = only.arguments?.find(({ name }) => name.value === 'input');
  if (argument) yield [only.name.value, valueFromASTUntyped(argument.value, variables)];
}
