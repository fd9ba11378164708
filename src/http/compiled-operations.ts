/*
 * Runs operations: those that come often as compiled functions (graphql-jit), the others with graphql-js. A compiled list
 * of 50 patients costs a fifth of the time. Decision 21 says why, and what is never compiled.
 */
import {
  BREAK,
  execute as interpret,
  getOperationAST,
  getVariableValues,
  Kind,
  OperationTypeNode,
  visit,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLSchema,
} from 'graphql';
import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit';

type Answer = ExecutionResult | Promise<ExecutionResult>;

/** Runs an operation, as `execute` of graphql-js does. */
export type Execute = (operation: ExecutionArgs) => Answer;

/** One operation of a document. */
interface KnownOperation {
  uses: number;
  /** `never`: this operation is left to graphql-js. */
  compiled: CompiledQuery['query'] | 'never' | undefined;
}

/** Largest text of a document that is compiled, characters. Compiling takes the event loop for some milliseconds. */
const largestText = 8_000;

/**
 * Makes a function that runs operations of admitted documents.
 * - An operation is compiled after some uses, so the cost of compiling is small beside that of its uses, for a caller
 *   with ever new documents too.
 * - The compiled function lives as long as its document, so it is bounded by the documents that are remembered
 *   (admitted-documents.ts) and by the subscriptions that are open.
 * - Variables are checked by graphql-js first. With a wrong one, graphql-js gives the answer.
 * @param usesBeforeCompiling runs of an operation by graphql-js before it is compiled
 */
export function createExecute(schema: GraphQLSchema, usesBeforeCompiling = 20): Execute {
  const known = new WeakMap<DocumentNode, Map<string, KnownOperation>>();

  function operationOf(document: DocumentNode, name: string): KnownOperation {
    const ofDocument = known.get(document) ?? new Map<string, KnownOperation>();
    known.set(document, ofDocument);
    const operation = ofDocument.get(name) ?? { uses: 0, compiled: undefined };
    // A document has few operations. A name that it does not have is not kept.
    if (getOperationAST(document, name || undefined)) ofDocument.set(name, operation);
    return operation;
  }

  return (given) => {
    const { document, operationName, rootValue, contextValue, variableValues } = given;
    const operation = operationOf(document, operationName ?? '');
    operation.uses += 1;
    if (operation.uses > usesBeforeCompiling) operation.compiled ??= compile(schema, document, operationName);
    if (operation.compiled === undefined || operation.compiled === 'never') return interpret({ ...given, schema });
    const { variableDefinitions } = getOperationAST(document, operationName)!;
    if (variableDefinitions && variableDefinitions.length > 0) {
      const { errors } = getVariableValues(schema, variableDefinitions, variableValues ?? {}, { maxErrors: 1 });
      if (errors) return interpret({ ...given, schema });
    }
    return operation.compiled(rootValue, contextValue, variableValues) as Answer;
  };
}

function compile(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
): CompiledQuery['query'] | 'never' {
  if (!mayCompile(document, operationName)) return 'never';
  const compiled = compileQuery(schema, document, operationName ?? undefined, { disablingCapturingStackErrors: true });
  return isCompiledQuery(compiled) ? compiled.query : 'never';
}

/**
 * Tells whether an operation may become code. graphql-jit 0.8.9 writes values of the document into the code that it
 * makes: a text that holds its own mark of a date would run as a program. Keys of answers are written as keys of
 * objects: one such as `__proto__` would reach the prototype. So a document with a text in it is never compiled, and no
 * document with such a key. Clients send texts in variables, which are no code.
 *
 * Mutations are never compiled: they cost far more than their execution, and graphql-jit has run fields of fragments out
 * of order.
 */
export function mayCompile(document: DocumentNode, operationName?: string | null): boolean {
  const operation = getOperationAST(document, operationName);
  if (!operation || operation.operation === OperationTypeNode.MUTATION) return false;
  if ((document.loc?.end ?? Infinity) > largestText) return false;
  let allowed = true;
  const refuse = (): typeof BREAK => {
    allowed = false;
    return BREAK;
  };
  visit(document, {
    [Kind.STRING]: refuse,
    [Kind.FIELD]: ({ name, alias }) => {
      const isTypename = name.value === '__typename' && !alias;
      if (!isTypename && (isUnsafe(name.value) || (alias && isUnsafe(alias.value)))) return refuse();
      return undefined;
    },
  });
  return allowed;
}

/** Names that mean something to each object of JavaScript, and names that GraphQL keeps for itself. */
const isUnsafe = (name: string): boolean => name.startsWith('__') || name in {};
