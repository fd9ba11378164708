import {
  GraphQLError,
  getOperationAST,
  type DocumentNode,
  type GraphQLFormattedError,
  type GraphQLSchema,
} from 'graphql';
import { BadUserInputError } from '../errors.js';
import type { AdmittedDocuments } from './admitted-documents.js';
import { recordDenials } from './denials.js';
import type { ErrorFormatter } from './error-format.js';
import { createOperationContext, type Caller, type ContextSources } from './operation-context.js';
import { callerName } from './operations.js';
import type { DocumentRequest } from './persisted-queries.js';
import type { SubscriptionCaps } from './subscription-caps.js';
import type { AdmittedSubscription } from './subscription-events.js';

/** A subscription that a caller wants, over any transport. */
interface WantedSubscription {
  readonly caller: Caller;
  readonly requestId: string;
  /** Any object that identifies the connection which carries it. */
  readonly connection: object;
  /** Names the operation; also identifies this one subscription. */
  readonly payload: DocumentRequest & {
    readonly operationName?: string | null;
    readonly variables?: Readonly<Record<string, unknown>> | null;
  };
}

/** The checks that a subscription must pass before it begins. They are the same for all transports. */
export interface SubscriptionAdmission {
  /**
   * Takes a place under the caps, admits the document, checks its cost and builds the context. A refusal gives the place
   * back; after that, the transport gives it back at the end.
   * @param count counts the request for its caller, when that was not done yet
   * @throws the errors for which it is refused
   */
  admit(wanted: WantedSubscription, count?: () => Promise<void> | undefined): Promise<AdmittedSubscription>;
  /** Turns errors into those of the contract, and records the actions that the caller was refused. */
  format(errors: readonly GraphQLError[], caller: Pick<Caller, 'viewer' | 'origin'>): Promise<GraphQLFormattedError[]>;
}

export function createSubscriptionAdmission(
  schema: GraphQLSchema,
  sources: ContextSources,
  {
    documents,
    caps,
    formatError,
  }: {
    readonly documents: AdmittedDocuments;
    readonly caps: SubscriptionCaps | undefined;
    readonly formatError: ErrorFormatter;
  },
): SubscriptionAdmission {
  return {
    async admit({ caller, requestId, connection, payload }, count) {
      const { operationName, variables } = payload;
      try {
        caps?.begin(connection, callerName(caller), payload);
        await count?.();
        const document = documents.admit(payload) ?? [
          new BadUserInputError([{ path: 'query', message: 'is missing' }]),
        ];
        if (!isDocument(document)) throw new Refused(document);
        if (getOperationAST(document, operationName)?.operation !== 'subscription') {
          throw new GraphQLError(
            'Only subscriptions are served over a WebSocket or as a stream of events: send queries and mutations with ' +
              'POST /graphql, and accept application/json.',
            { extensions: { code: 'BAD_REQUEST' } },
          );
        }
        const cost = documents.checkCost(document, operationName, variables);
        caps?.keep(payload, document);
        const contextValue = createOperationContext(sources, caller, requestId);
        const variableValues = declared(document, operationName, variables);
        return { schema, document, variableValues, operationName, contextValue, cost };
      } catch (thrown) {
        caps?.close(payload);
        throw thrown instanceof Refused ? thrown : new Refused([thrown as Error]);
      }
    },
    async format(errors, { viewer, origin }) {
      const unwrapped = errors.map(unwrap);
      await recordDenials(sources.app.audit, viewer, unwrapped);
      return unwrapped.map((error) => formatError(error, origin.requestId));
    },
  };
}

/** The variables that an operation declares. Others may be large, and would be kept as long as the subscription lasts. */
function declared(
  document: DocumentNode,
  operationName: string | null | undefined,
  variables: Readonly<Record<string, unknown>> | null | undefined,
): Record<string, unknown> {
  const names = getOperationAST(document, operationName)?.variableDefinitions?.map(
    ({ variable }) => variable.name.value,
  );
  return Object.fromEntries(
    (names ?? []).flatMap((name) => (variables && Object.hasOwn(variables, name) ? [[name, variables[name]]] : [])),
  );
}

/** Thrown for a subscription that is not admitted. */
class Refused extends Error {
  readonly errors: readonly GraphQLError[];
  constructor(errors: readonly Error[]) {
    super('the subscription is not admitted');
    this.errors = errors.map(asGraphqlError);
  }
}

/** The errors for which a subscription was not admitted, or did not begin. */
export const refusalsOf = (thrown: unknown): readonly GraphQLError[] =>
  thrown instanceof Refused ? thrown.errors : [asGraphqlError(thrown as Error)];

const isDocument = (admitted: DocumentNode | readonly Error[]): admitted is DocumentNode => !Array.isArray(admitted);

const asGraphqlError = (error: Error): GraphQLError =>
  error instanceof GraphQLError ? error : new GraphQLError(error.message, { originalError: error });

/**
 * Removes the second wrapping that graphql-ws gives to an error of a stream, under the same message. The wrapping of
 * graphql-js stays. It has a path when a field failed, or another message when it says more than the cause.
 */
function unwrap(error: GraphQLError): GraphQLError {
  const { originalError, path } = error;
  return path === undefined && originalError instanceof GraphQLError && originalError.message === error.message
    ? unwrap(originalError)
    : error;
}
