import { ApolloServer, type ApolloServerOptions, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { ApolloServerPluginLandingPageLocalDefault } from '@apollo/server/plugin/landingPage/default';
import type { GraphQLSchema } from 'graphql';
import type { QueryLimits } from '../config/config.js';
import type { AnswerErrors } from './answer-errors.js';
import type { AdmittedDocuments } from './admitted-documents.js';
import {
  documentStore,
  executedBefore,
  executeOperations,
  persistedQueries,
  recordRefusals,
  refuseSubscriptions,
  refuseUnadmitted,
  sayRateLimited,
  tellCost,
} from './apollo-plugins.js';
import { observeOperations } from './observe-operations.js';
import type { createOperationContext, HttpParts } from './operation-context.js';
import { stagesPlugin, type OperationStages } from './operation-stages.js';
import type { PersistedQueries } from './persisted-queries.js';
import type { Execute } from './prepared/prepared-operations.js';
import type { RequestLimiter } from './rate-limits.js';
import { preflightHeaders } from './security-headers.js';

type Context = ReturnType<typeof createOperationContext>;

interface ApolloDependencies {
  readonly app: HttpParts;
  readonly schema: GraphQLSchema;
  readonly execute: Execute;
  readonly documents: AdmittedDocuments;
  /** The operations that may run; undefined: every valid one. */
  readonly list: PersistedQueries | undefined;
  readonly limits: QueryLimits | undefined;
  readonly limiter: RequestLimiter | undefined;
  readonly errors: AnswerErrors;
  readonly stringifyResult: ApolloServerOptions<Context>['stringifyResult'];
  /** Parts that know the server around it. They come after the admission of documents. */
  readonly parts: readonly OperationStages[];
  /** Ends the connections of the server before Apollo Server stops. */
  readonly drainPlugin: ApolloServerPlugin<Context>;
}

/** Makes the Apollo Server that answers queries and mutations. In production it has no introspection and no Sandbox. */
export function createApollo({
  app: { config, logger, audit, metrics, tracing },
  schema,
  execute,
  documents,
  list,
  limits,
  limiter,
  errors,
  stringifyResult,
  parts,
  drainPlugin,
}: ApolloDependencies): ApolloServer<Context> {
  const production = config.environment === 'production';
  return new ApolloServer<Context>({
    gateway: executedBefore(schema),
    introspection: !production,
    includeStacktraceInErrorResponses: false,
    // No form and no link of another site can send this header.
    csrfPrevention: { requestHeaders: [...preflightHeaders] },
    allowBatchedHttpRequests: false,
    persistedQueries: persistedQueries(list),
    documentStore: documentStore(documents),
    parseOptions: { maxTokens: limits?.tokens },
    stopOnTerminationSignals: false,
    logger: {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (message) => logger.error({ apollo: typeof message }, 'Apollo Server'),
    },
    plugins: [
      // It would wrap every field of every row. Every answer of the server says no-store.
      ApolloServerPluginCacheControlDisabled(),
      drainPlugin,
      stagesPlugin(
        [
          errors.stages,
          refuseUnadmitted(documents, limiter),
          refuseSubscriptions,
          recordRefusals(audit),
          sayRateLimited,
          ...(production ? [] : [tellCost]),
          ...parts,
          observeOperations({ metrics, tracing, logger, isListed: list !== undefined }),
        ],
        executeOperations(execute),
      ),
      production
        ? ApolloServerPluginLandingPageDisabled()
        : ApolloServerPluginLandingPageLocalDefault({ embed: { runTelemetry: false }, footer: false }),
    ],
    formatError: errors.formatError,
    stringifyResult,
  });
}
