/*
 * Runs queries and the events of subscriptions by plans (plan.ts), and all else with graphql-js. Both give the same
 * answers, byte by byte: test/http/prepared-operations.test.ts runs every document of client and console, and random ones.
 * Decision 21 says why, and why it makes no code.
 */
import {
  execute as interpret,
  getVariableValues,
  Kind,
  OperationTypeNode,
  visit,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLError,
  type GraphQLSchema,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { FieldErrors } from './field-errors.js';
import { noteTexts } from './kept-text.js';
import { operationOf, planOperation, type Plan } from './plan.js';
import type { CheckedOperation, KeptTexts, Run } from './planned.js';
import { isPromise, runFields } from './run.js';

type Answer = ExecutionResult | Promise<ExecutionResult>;

/** Runs an operation, as `execute` of graphql-js does. */
export type Execute = (operation: Omit<ExecutionArgs, 'schema'>) => Answer;

/** Fields of the largest plan. A larger operation is left to graphql-js. */
const mostFields = 1_000;

/**
 * Bytes of all plans together, about. A plan also keeps the syntax tree of its document, which takes up to 150 times its
 * text.
 */
const rememberedBytes = 16 * 1024 * 1024;
const bytesPerField = 500;
const bytesPerCharacter = 150;

/** Variables that @skip and @include may read in a planned operation. Each doubles the number of its plans. */
const mostConditions = 4;

/** One operation of a document. */
interface KnownOperation extends Pick<CheckedOperation, 'operation' | 'fragments'> {
  /** Length of the document's text. */
  readonly characters: number;
  /** Names of the variables that decide which fields the operation has. */
  readonly conditions: readonly string[];
}

/** Plans of one operation by the values of its conditions. `none`: left to graphql-js. */
type Plans = Map<string, Plan | 'none'>;

/** Makes a function that runs operations of valid documents. */
export function createExecute(schema: GraphQLSchema): Execute {
  const known = new WeakMap<DocumentNode, Map<string | null, KnownOperation | 'none'>>();
  const texts: KeptTexts = new WeakMap();
  // The plan that was used longest ago is made again, so the memory of all plans has a bound whatever callers send.
  const remembered = new LRUCache<KnownOperation, Plans>({ maxSize: rememberedBytes });

  function find(document: DocumentNode, name: string | null): KnownOperation | 'none' {
    const ofDocument = known.get(document) ?? new Map<string | null, KnownOperation | 'none'>();
    known.set(document, ofDocument);
    const kept = ofDocument.get(name);
    if (kept) return kept;
    const found = operationOf(document.definitions, name);
    // A name that the document does not have is not kept: a caller could send any number of them.
    if (!found) return 'none';
    const conditions = conditionsOf(document);
    const isPlanned = found.operation.operation !== OperationTypeNode.MUTATION && conditions.length <= mostConditions;
    const operation = isPlanned ? { ...found, characters: document.loc?.end ?? 0, conditions } : 'none';
    ofDocument.set(name, operation);
    return operation;
  }

  function planOf(known: KnownOperation, variableValues: Readonly<Record<string, unknown>>): Plan | 'none' {
    const plans: Plans = remembered.get(known) ?? new Map<string, Plan | 'none'>();
    const key = known.conditions.map((name) => String(variableValues[name])).join();
    const kept = plans.get(key);
    if (kept) return kept;
    const plan = planOperation({ schema, ...known, variableValues }, mostFields) ?? 'none';
    plans.set(key, plan);
    const fields = [...plans.values()].reduce((sum, each) => sum + (each === 'none' ? 1 : each.fields), 0);
    remembered.set(known, plans, { size: fields * bytesPerField + known.characters * bytesPerCharacter });
    return plan;
  }

  return (given) => {
    const interpreted = (): Answer => interpret({ ...given, schema });
    const { document, operationName, rootValue, contextValue } = given;
    const operation = find(document, operationName ?? null);
    if (operation === 'none') return interpreted();
    const definitions = operation.operation.variableDefinitions ?? [];
    const { errors, coerced } = getVariableValues(schema, definitions, given.variableValues ?? {}, { maxErrors: 50 });
    if (errors) return { errors };
    const plan = planOf(operation, coerced);
    if (plan === 'none') return interpreted();
    const run: Run = {
      schema,
      operation: operation.operation,
      fragments: operation.fragments,
      variableValues: coerced,
      rootValue,
      contextValue,
      errors: new FieldErrors(),
      texts,
      hasTexts: false,
    };
    const answer = (data: unknown): ExecutionResult => {
      if (run.hasTexts && data) noteTexts(data);
      return {
        ...(run.errors.list.length > 0 && { errors: run.errors.list }),
        data: data as ExecutionResult['data'],
      };
    };
    const nothing = (error: unknown): ExecutionResult => {
      run.errors.add(error as GraphQLError, undefined);
      return answer(null);
    };
    try {
      const data = runFields(run, plan.root, rootValue, undefined);
      return isPromise(data) ? data.then(answer, nothing) : answer(data);
    } catch (error) {
      return nothing(error);
    }
  };
}

/** The variables that the conditions of a document read. */
function conditionsOf(document: DocumentNode): readonly string[] {
  const names = new Set<string>();
  visit(document, {
    [Kind.DIRECTIVE]({ name, arguments: given }) {
      if (name.value !== 'skip' && name.value !== 'include') return;
      for (const { value } of given ?? []) if (value.kind === Kind.VARIABLE) names.add(value.name.value);
    },
  });
  return [...names];
}
