import { HeaderMap, type ApolloServerOptions, type ApolloServerPlugin } from '@apollo/server';
import { GraphQLError } from 'graphql';
import type { AuditTrail } from '../audit/audit-trail.js';
import { RiskGraphError } from '../errors.js';
import type { AdmittedDocuments } from './admitted-documents.js';
import { recordDenials } from './denials.js';
import type { createOperationContext } from './operation-context.js';
import type { PersistedQueries } from './persisted-queries.js';

type Context = ReturnType<typeof createOperationContext>;
type Plugin = ApolloServerPlugin<Context>;
type Options = ApolloServerOptions<Context>;

/** Apollo Server takes the documents that were admitted instead of parsing and validating them once more. */
export function documentStore(documents: AdmittedDocuments): NonNullable<Options['documentStore']> {
  // Its keys end with the SHA-256 of the text.
  return {
    get: async (key) => documents.find(key.slice(-64)),
    set: async () => undefined,
    delete: async () => undefined,
  };
}

/** Apollo Server finds the documents of the allow-list by their SHA-256, and can add none. */
export function persistedQueries(list: PersistedQueries | undefined): NonNullable<Options['persistedQueries']> {
  if (!list) return false;
  return {
    cache: { get: async (key) => list.get(key.slice(-64)), set: async () => undefined, delete: async () => undefined },
  };
}

/** Nothing is run that was not admitted, however it came here, nor what costs too much with its variables. */
export function refuseUnadmitted(documents: AdmittedDocuments): Plugin {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ document, source, request }) {
          try {
            // Many large documents at once may have pushed it out of those remembered, and Apollo parsed it by itself.
            const again = documents.has(document) ? document : documents.admit({ query: source });
            if (Array.isArray(again)) throw again[0];
            documents.checkCost(document, request.operationName, request.variables);
          } catch (error) {
            throw asBadRequest(error as Error);
          }
        },
      };
    },
  };
}

/** Without a status of its own, Apollo Server answers an error of this stage with 500. */
function asBadRequest(error: Error): Error {
  if (error instanceof GraphQLError)
    return new GraphQLError(error.message, { ...error, extensions: { ...error.extensions, http: { status: 400 } } });
  return error instanceof RiskGraphError
    ? new GraphQLError(error.message, { originalError: error, extensions: { http: { status: 400 } } })
    : error;
}

/** Over HTTP graphql-js would run a subscription as if it were a query. */
export const refuseSubscriptions: Plugin = {
  async requestDidStart() {
    return {
      async didResolveOperation({ operation }) {
        if (operation?.operation !== 'subscription') return;
        throw new GraphQLError(
          'Subscriptions are served over the WebSocket at /graphql, with the protocol graphql-transport-ws.',
          { extensions: { code: 'BAD_REQUEST', http: { status: 400 } } },
        );
      },
    };
  },
};

/** A limit that a resolver keeps, such as that of log-ins, is told to HTTP clients as any other is. */
export const sayRateLimited: Plugin = {
  async requestDidStart() {
    return {
      async willSendResponse({ response: { body, http } }) {
        const errors = body.kind === 'single' ? body.singleResult.errors : undefined;
        const seconds = errors?.find(({ extensions }) => extensions?.code === 'RATE_LIMITED')?.extensions
          ?.retryAfterSeconds;
        if (typeof seconds !== 'number') return;
        http.status = 429;
        (http.headers ??= new HeaderMap()).set('retry-after', String(seconds));
      },
    };
  },
};

/** Puts what callers were refused on record, before they are told. */
export const recordRefusals = (audit: AuditTrail): Plugin => ({
  async requestDidStart() {
    return {
      didEncounterErrors: ({ errors, contextValue }) => recordDenials(audit, contextValue.viewer, errors),
    };
  },
});
