import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { ApolloServerPluginLandingPageLocalDefault } from '@apollo/server/plugin/landingPage/default';
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from '@as-integrations/fastify';
import websocket from '@fastify/websocket';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import { handleProtocols } from 'graphql-ws';
import { randomUUID } from 'node:crypto';
import type { AuditTrail } from '../audit/audit-trail.js';
import { BadUserInputError } from '../errors.js';
import { cannotListen } from './cannot-listen.js';
import { recordDenials } from './denials.js';
import { createErrorFormatter } from './error-format.js';
import { createSocketHandler } from './graphql-socket.js';
import { registerHealth } from './health.js';
import { registerMetrics } from './metrics.js';
import { createOperationContext, identifyCaller, type ContextSources } from './operation-context.js';

/** Largest request body and WebSocket message. A batch names at most 100,000 patients, 27 bytes each. */
const largestRequestBytes = 4 * 1024 * 1024;

export interface HttpServer {
  /** e.g. `http://127.0.0.1:4000` */
  readonly url: string;
  readonly port: number;
  /** Stops accepting, ends the sockets, lets running requests finish. */
  close(): Promise<void>;
}

/**
 * Serves GraphQL over HTTP and WebSocket, the Sandbox, health and metrics on one port.
 * @throws StartupError when the port is taken
 */
export async function startHttpServer(schema: GraphQLSchema, sources: ContextSources): Promise<HttpServer> {
  const { config, logger } = sources.app;
  const production = config.environment === 'production';
  const formatError = createErrorFormatter(logger);
  const server = fastify({ bodyLimit: largestRequestBytes, genReqId: () => randomUUID(), forceCloseConnections: true });
  const apollo = new ApolloServer<ReturnType<typeof createOperationContext>>({
    schema,
    introspection: !production,
    includeStacktraceInErrorResponses: false,
    csrfPrevention: true,
    persistedQueries: false,
    stopOnTerminationSignals: false,
    logger: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: (message) => logger.error({ apollo: typeof message }, 'Apollo Server') },
    plugins: [
      fastifyApolloDrainPlugin(server),
      refuseSubscriptions,
      recordRefusals(sources.app.audit),
      production ? ApolloServerPluginLandingPageDisabled() : ApolloServerPluginLandingPageLocalDefault({ embed: { runTelemetry: false }, footer: false }),
    ],
    formatError: (_formatted, error) => formatError(error),
  });
  await apollo.start();

  server.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    const message = status === 413 ? `is larger than ${largestRequestBytes} bytes: split the request` : 'is not valid JSON';
    const formatted = status < 500 ? formatError(new BadUserInputError([{ path: 'body', message }])) : formatError(error);
    void reply.status(status).send({ errors: [formatted] });
  });
  await server.register(websocket, {
    // graphql-ws sets handleProtocols too, but only when the first socket is open already.
    options: { maxPayload: largestRequestBytes, handleProtocols },
    // Fastify closes sockets without a code; clients take 1001 as a hint to come back.
    preClose(done) {
      for (const client of this.websocketServer.clients) client.close(1001, 'Going away: connect again');
      this.websocketServer.close();
      done();
    },
  });
  const context = async ({ headers, id, ip }: FastifyRequest) =>
    createOperationContext(sources, await identifyCaller(sources.app, headers.authorization, { requestId: id, address: ip }), id);
  const handler = fastifyApolloHandler(apollo, { context });
  const socketHandler = createSocketHandler(schema, sources, formatError);
  server.post('/graphql', handler);
  server.register(async (scope) => {
    scope.route({ method: 'GET', url: '/graphql', handler, wsHandler: socketHandler });
  });
  registerHealth(server, sources.app);
  registerMetrics(server, sources);

  const url = await listen(server, config.host, config.port);
  return {
    url,
    port: Number(new URL(url).port),
    async close() {
      await server.close();
      await apollo.stop();
    },
  };
}

/** Puts what callers were refused on record, before they are told. */
const recordRefusals = (audit: AuditTrail): ApolloServerPlugin<ReturnType<typeof createOperationContext>> => ({
  async requestDidStart() {
    return {
      didEncounterErrors: ({ errors, contextValue }) => recordDenials(audit, contextValue.viewer, errors),
    };
  },
});

/** Over HTTP graphql-js would run a subscription as if it were a query. */
const refuseSubscriptions: ApolloServerPlugin<ReturnType<typeof createOperationContext>> = {
  async requestDidStart() {
    return {
      async didResolveOperation({ operation }) {
        if (operation?.operation !== 'subscription') return;
        throw new GraphQLError('Subscriptions are served over the WebSocket at /graphql, with the protocol graphql-transport-ws.', { extensions: { code: 'BAD_REQUEST', http: { status: 400 } } });
      },
    };
  },
};

async function listen(server: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (error) {
    throw cannotListen(host, port, error);
  }
}
