import {
  HeaderMap,
  type ApolloServerOptions,
  type ApolloServerOptionsWithGateway,
  type GraphQLRequestListener,
} from '@apollo/server';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import type { AuditTrail } from '../audit/audit-trail.js';
import { QueryTooComplexError, RiskGraphError } from '../errors.js';
import type { AnswerErrors } from './answer-errors.js';
import type { AdmittedDocuments } from './admitted-documents.js';
import { writeAnswer } from './answer-text.js';
import type { ErrorFormatter } from './error-format.js';
import { recordDenials } from './denials.js';
import type { createOperationContext } from './operation-context.js';
import type { OperationStages } from './operation-stages.js';
import type { Operation } from './operations.js';
import type { PersistedQueries } from './persisted-queries.js';
import type { Execute } from './prepared/prepared-operations.js';
import type { RequestLimiter } from './rate-limits.js';

type Context = ReturnType<typeof createOperationContext>;
type Options = ApolloServerOptions<Context>;

/**
 * Executes operations, and answers those without errors. For a gateway, Apollo Server would make an object with getters for
 * each request, which keeps the request in memory (docs/decisions/0026-getters-of-classes.md).
 */
export const executeOperations =
  (execute: Execute): NonNullable<GraphQLRequestListener<Context>['responseForOperation']> =>
  async ({ document, request: { operationName, variables }, contextValue }) => {
    const executing = (async () => execute({ document, operationName, variableValues: variables, contextValue }))();
    contextValue.executing = executing;
    const result = await executing.catch(() => undefined);
    // Apollo Server reports and formats errors only of what a gateway has executed.
    if (!result || result.errors) return null;
    return {
      http: { status: undefined, headers: new HeaderMap() },
      body: { kind: 'single', singleResult: result },
    };
  };

/**
 * Gives Apollo Server what `executeOperations` has executed. Only a gateway can give it results of another executor. This
 * one has one schema, which never changes.
 */
export function executedBefore(schema: GraphQLSchema): ApolloServerOptionsWithGateway<Context>['gateway'] {
  return {
    load: async () => ({ executor: ({ context }) => context.executing! }),
    onSchemaLoadOrUpdate(tell) {
      tell({ apiSchema: schema, coreSupergraphSdl: '' });
      return () => undefined;
    },
    stop: async () => undefined,
  };
}

/** Gives Apollo Server the admitted documents, so that it does not parse and validate them again. */
export function documentStore(documents: AdmittedDocuments): NonNullable<Options['documentStore']> {
  // The keys of Apollo Server end with the SHA-256 of the text.
  return {
    get: async (key) => documents.find(key.slice(-64)),
    set: async () => undefined,
    delete: async () => undefined,
  };
}

/** Lets Apollo Server find the documents of the allow-list by their SHA-256. It cannot add documents. */
export function persistedQueries(list: PersistedQueries | undefined): NonNullable<Options['persistedQueries']> {
  if (!list) return false;
  return {
    cache: { get: async (key) => list.get(key.slice(-64)), set: async () => undefined, delete: async () => undefined },
  };
}

/**
 * Refuses documents that were not admitted, and operations that cost too much: on their own, with what is under way for
 * their user, or with what the user has asked for in this minute.
 */
export function refuseUnadmitted(documents: AdmittedDocuments, limiter: RequestLimiter | undefined): OperationStages {
  return {
    async didResolveOperation({ document, source, request, contextValue }) {
      try {
        // Many large documents at once may have displaced this one from memory. Apollo has then parsed it itself.
        const again = documents.has(document) ? document : documents.admit({ query: source });
        if (Array.isArray(again)) throw again[0];
        const cost = documents.checkCost(document, request.operationName, request.variables);
        contextValue.operation?.start(cost);
        await limiter?.charge(contextValue, contextValue.origin.address, cost);
      } catch (error) {
        throw asBadRequest(error as Error);
      }
    },
  };
}

/** Gives an error of this stage the status 400. Without a status, Apollo Server answers with 500. */
function asBadRequest(error: Error): Error {
  if (error instanceof GraphQLError)
    return new GraphQLError(error.message, { ...error, extensions: { ...error.extensions, http: { status: 400 } } });
  return error instanceof RiskGraphError
    ? new GraphQLError(error.message, { originalError: error, extensions: { http: { status: 400 } } })
    : error;
}

/** Refuses subscriptions over HTTP, where graphql-js would run them like queries. */
export const refuseSubscriptions: OperationStages = {
  didResolveOperation({ operation }) {
    if (operation?.operation !== 'subscription') return;
    throw new GraphQLError(
      'Subscriptions are served over the WebSocket at /graphql, with the protocol graphql-transport-ws, and over ' +
        'HTTP to requests that accept text/event-stream.',
      { extensions: { code: 'BAD_REQUEST', http: { status: 400 } } },
    );
  },
};

/**
 * Writes answers as JSON, the long ones piece by piece and in chunks. An operation that was broken off is answered with
 * the reason alone.
 * @param count is told the code of each error of an answer
 * @param errors keeps the answers that no operation has made
 */
export function writeAnswers(
  formatError: ErrorFormatter,
  count: (code: string) => void,
  errors: AnswerErrors,
): {
  readonly stages: OperationStages;
  readonly stringifyResult: NonNullable<Options['stringifyResult']>;
  /** The chunks of a long answer, which Apollo Server takes for an empty one. */
  readonly chunksOf: (operation: Operation) => readonly Buffer[] | undefined;
} {
  // Apollo Server copies the result before it writes it, but keeps its data.
  const texts = new WeakMap<object, string>();
  const chunks = new WeakMap<Operation, readonly Buffer[]>();
  const stages: OperationStages = {
    async willSendResponse({ response: { body, http }, contextValue: { operation, requestId } }) {
      if (body.kind !== 'single' || !operation) return;
      const { errors, data, extensions } = body.singleResult;
      try {
        operation.check();
        if (!data) return;
        const written = await writeAnswer({ errors, data, extensions }, operation);
        texts.set(data, typeof written === 'string' ? written : '');
        if (typeof written !== 'string') chunks.set(operation, written);
      } catch (error) {
        if (error !== operation.reason) throw error;
        body.singleResult = { errors: [formatError(error, requestId)] };
        http.status = error instanceof QueryTooComplexError ? 400 : 503;
      }
    },
  };
  const stringifyResult: NonNullable<Options['stringifyResult']> = (result) => {
    const kept = errors.keep(result);
    if (kept) return kept;
    if ('errors' in result) for (const { extensions } of result.errors ?? []) count(String(extensions?.code));
    return (result.data && texts.get(result.data)) ?? `${JSON.stringify(result)}\n`;
  };
  return { stages, stringifyResult, chunksOf: (operation) => chunks.get(operation) };
}

/** Tells the cost of an operation, so that a client can be made to fit the limit before it meets one in production. */
export const tellCost: OperationStages = {
  willSendResponse({ response: { body }, contextValue: { operation } }) {
    if (body.kind !== 'single' || !operation?.cost) return;
    body.singleResult = { ...body.singleResult, extensions: { cost: operation.cost } };
  },
};

/** Answers 429 with `retry-after` also when a resolver refuses, e.g. after too many log-ins. */
export const sayRateLimited: OperationStages = {
  willSendResponse({ response: { body, http } }) {
    const errors = body.kind === 'single' ? body.singleResult.errors : undefined;
    const seconds = errors?.find(({ extensions }) => extensions?.code === 'RATE_LIMITED')?.extensions
      ?.retryAfterSeconds;
    if (typeof seconds !== 'number') return;
    http.status = 429;
    (http.headers ??= new HeaderMap()).set('retry-after', String(seconds));
  },
};

/** Records in the audit trail which actions callers were refused, before the answer is sent. */
export const recordRefusals = (audit: AuditTrail): OperationStages => ({
  didEncounterErrors: ({ errors, contextValue }) => recordDenials(audit, contextValue.viewer, errors),
});
