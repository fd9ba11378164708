import { fastifyApolloDrainPlugin, fastifyApolloHandler } from '@as-integrations/fastify';
import fastify, { type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { startOrClose, type Closers } from '../closers.js';
import { oidcSignIn } from '../config/oidc-settings.js';
import { acceptMany, type CopiedSocket } from './accept-many.js';
import { registerBulkRoutes } from './bulk/bulk-routes.js';
import { createAnswerErrors } from './answer-errors.js';
import { createAdmittedDocuments } from './admitted-documents.js';
import { createApollo } from './apollo.js';
import { writeAnswers } from './apollo-plugins.js';
import { tellAllIssues, type InputIssues } from './all-issues.js';
import { asksForPage, createPageAnswer, readConsole, registerConsole } from './console-pages.js';
import { createDraining, type Draining } from './draining.js';
import { readExplorer, registerExplorer } from './explorer-pages.js';
import { listen } from './listen.js';
import { createErrorFormatter } from './error-format.js';
import { createSocketHandler } from './graphql-socket.js';
import { registerHealth } from './health.js';
import { measureRequests, registerMetrics } from './metrics.js';
import { createOperationContext, type ContextSources } from './operation-context.js';
import { limitOperationTime, type ApolloHandler } from './operation-timeout.js';
import { createOperations, unlimitedOperations } from './operations.js';
import { countUnread } from './unread-answers.js';
import { allowList } from './persisted-queries.js';
import { createProbeLimit } from './probe-limit.js';
import { everyProtection, type Protections } from './protections.js';
import { startRequestLimiter } from './rate-limits.js';
import { createRequestAdmission } from './request-admission.js';
import { limitParts } from './request-bodies.js';
import {
  createClientErrorHandler,
  createNotFoundHandler,
  endUnread,
  largestRequestBytes,
  requestError,
  requestTimeoutMs,
  headersTimeoutMs,
} from './request-errors.js';
import { registerSecurityHeaders, sandboxPolicy } from './security-headers.js';
import { createUnread } from './socket-limits.js';
import { createSubscriptionAdmission } from './subscription-admission.js';
import { createSubscriptionCaps } from './subscription-caps.js';
import { createSubscribe } from './subscription-events.js';
import { createSubscriptionStreams } from './subscription-stream.js';
import { createRequestSources } from './request-source.js';
import { registerSessionRoutes } from './session-routes.js';
import { createExecute } from './prepared/prepared-operations.js';
import { createPlaces } from './places.js';
import { sharePlaces, unlimitedPlaces } from './place-limits.js';
import { watchConnections } from './connections.js';
import { mostDescriptors } from '../process/descriptors.js';
import { packageVersion } from '../process/package-root.js';
import { serveUpgrades } from './upgrades.js';
import { createWrittenEvents } from './written-events.js';
import { logError } from '../process/logger.js';
import { monitorApi } from '../monitoring/monitor.js';

/** A running HTTP server. */
export interface HttpServer {
  /** For example `http://127.0.0.1:4000` */
  readonly url: string;
  readonly port: number;
  /** Sends new callers to other servers before the close (draining.ts). */
  readonly drain: Draining['begin'];
  /** Stops accepting requests, closes the sockets, and lets running requests finish. */
  close(): Promise<void>;
}

interface HttpServerDependencies extends ContextSources {
  readonly schema: GraphQLSchema;
  /**
   * Finds further issues with an input whose types are wrong.
   * @defaultValue none: such an input is refused for its types alone
   */
  readonly inputIssues?: InputIssues;
  /**
   * The protections that are on. Only the benchmark of their cost turns some off; a server with patient data never
   * does.
   * @defaultValue all
   */
  readonly protections?: Protections;
}

/**
 * Serves GraphQL over HTTP and WebSocket, the console, the Sandbox, GraphiQL, health and metrics on one port. A failed
 * start leaves nothing open. The start has these steps:
 *
 * 1. Read the persisted queries, and prepare the admission of documents (admitted-documents.ts).
 * 2. Create Fastify and start Apollo Server with its plug-ins.
 * 3. Register the answers to errors, the security headers and the rate limits.
 * 4. Route POST and GET `/graphql`. The admission (request-admission.ts) runs first, then Apollo Server.
 * 5. Serve WebSockets (upgrades.ts), which pass by the router, with the socket handler (graphql-socket.ts). Requests for
 *    streams of events get theirs in place of step 4's answer (subscription-stream.ts).
 * 6. Register the console with its session, GraphiQL, health and metrics, and listen.
 *
 * @throws StartupError when the port is taken, or the persisted queries cannot be read
 */
export function startHttpServer(dependencies: HttpServerDependencies): Promise<HttpServer> {
  return startOrClose(
    (closers) => buildHttpServer(dependencies, closers),
    (error) =>
      logError(dependencies.app.logger, error, 'the HTTP server did not close after its failed start', {
        level: 'warn',
      }),
  );
}

async function buildHttpServer(
  { schema, inputIssues = () => [], protections = everyProtection, ...sources }: HttpServerDependencies,
  closers: Closers,
): Promise<HttpServer> {
  const { config, logger } = sources.app;
  const production = config.environment === 'production';
  const { metrics, tracing } = sources.app;
  const count = (code: string): void => metrics.errors.inc({ code });
  const formatError = createErrorFormatter(logger, { schema, count });
  // Errors of operations are counted when their answer is written: other parts may replace them until then.
  const formatOfAnswer = createErrorFormatter(logger, { schema });
  const pages = await readConsole();
  if (!pages) logger.warn('the console is not there: npm run build makes it');
  const list = await allowList(config.persistedQueriesFile, pages?.documents);
  const limits = protections.queryLimits ? config.queryLimits : undefined;
  const documents = createAdmittedDocuments(schema, { limits, list, introspection: !production });
  const explorer = production ? undefined : await readExplorer();
  if (!explorer && !production) logger.warn('GraphiQL is not there: npm run build makes it');
  const execute = createExecute(schema);
  const operations = createOperations(limits ? config.operationLimits : unlimitedOperations);
  const trustProxy = config.trustedProxies.length > 0 && [...config.trustedProxies];
  const requestSources = createRequestSources(config.trustedProxies);
  const answerError = (error: FastifyError, reply: FastifyReply): FastifyReply =>
    reply
      .status(error.statusCode ?? 500)
      .send({ errors: [formatError(requestError(error) ?? error, reply.request.id)] });
  const oidc = oidcSignIn(config.oidc);
  const page = pages && createPageAnswer(pages, oidc);
  // A person who mistypes an address gets the page that says so. Programs get the error.
  const answerPage = (request: FastifyRequest, reply: FastifyReply, status: number): FastifyReply | undefined =>
    page && asksForPage(request) ? page(request, reply.status(status)) : undefined;
  const server = fastify({
    bodyLimit: largestRequestBytes,
    genReqId: (request) => requestSources.requestIdOf(request),
    requestTimeout: requestTimeoutMs,
    // Ends a connection on which nothing moves: a client that does not read its answer. Longer than any operation.
    connectionTimeout: config.operationTimeoutMs + requestTimeoutMs,
    http: { headersTimeout: headersTimeoutMs, connectionsCheckingInterval: 5_000 },
    // Requests under way are answered, and connections without one are closed.
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    trustProxy,
    clientErrorHandler: createClientErrorHandler(formatError),
    frameworkErrors: (error, request, reply) =>
      void (answerPage(request, reply, error.statusCode ?? 400) ?? answerError(error, reply)),
  });
  const limiter = protections.rateLimits ? await startRequestLimiter(server, sources.app) : undefined;
  const errors = createAnswerErrors(formatOfAnswer, count);
  const { stages: writing, stringifyResult, chunksOf } = writeAnswers(formatOfAnswer, count, errors);
  const apollo = createApollo({
    app: sources.app,
    schema,
    execute,
    documents,
    list,
    limits,
    limiter,
    errors,
    stringifyResult,
    parts: [tellAllIssues(schema, formatOfAnswer, inputIssues), writing],
    drainPlugin: fastifyApolloDrainPlugin(server),
  });
  await apollo.start();
  closers.add(() => apollo.stop());
  // The server waits for its own connections alone.
  let copies = undefined as CopiedSocket | undefined;
  closers.add(() => copies?.ended());
  closers.add(() => server.close());

  server.setErrorHandler((error: FastifyError, _request, reply) => void answerError(error, reply));
  const answerNotFound = createNotFoundHandler(server, formatError, logger, answerPage);
  server.setNotFoundHandler(answerNotFound);
  server.addHook('onSend', endUnread);
  server.addHook(
    'onRequest',
    async (request, reply) => void reply.headers({ 'x-request-id': request.id, 'cache-control': 'no-store' }),
  );
  limitParts(server);
  if (protections.headers) await registerSecurityHeaders(server, config.corsOrigins);
  // Before the body is read. The handler above is for the pages of registered plug-ins.
  server.addHook('onRequest', async (request, reply) => (request.is404 ? answerNotFound(request, reply) : undefined));
  const shared = protections.socketLimits ? sharePlaces(config.socketLimits, mostDescriptors()) : unlimitedPlaces;
  const connections = watchConnections(server.server, {
    places: createPlaces(shared.connections),
    most: shared.mostConnections,
    sources: requestSources,
  });
  const admission = createRequestAdmission(sources, documents, formatError, {
    limiter,
    sources: requestSources,
    connections,
  });
  const places = createPlaces(shared.sockets);
  const caps = protections.socketLimits ? createSubscriptionCaps(config.socketLimits) : undefined;
  const written = createWrittenEvents();
  const subscriptions = {
    admission: createSubscriptionAdmission(schema, sources, { documents, caps, formatError }),
    subscribe: createSubscribe({
      execute,
      operations,
      limiter,
      written,
      metrics,
      tracing,
      timeoutMs: config.operationTimeoutMs,
      tellCost: !production,
    }),
    written,
    places,
    caps,
    unread: createUnread(),
  };
  const streams = createSubscriptionStreams({
    ...subscriptions,
    app: sources.app,
    documents,
    connections,
    formatError,
  });
  const context = async (request: FastifyRequest) => {
    const made = createOperationContext(sources, request.caller!, request.id);
    request.operation = made.operation = operations.prepare(request.caller!, 'answer');
    return made;
  };
  const apolloHandler = fastifyApolloHandler(apollo, { context }) as ApolloHandler;
  const answer = countUnread(
    async function answer(request, reply) {
      const body = await tracing.arriving(
        `${request.method} /graphql`,
        requestSources.traceparentOf(request.raw),
        async () => apolloHandler.call(this, request, reply),
      );
      return typeof body === 'string' ? errors.finish(body, request.id) : body;
    },
    operations,
    chunksOf,
  );
  const plain = limits ? limitOperationTime(answer, config.operationTimeoutMs, formatError) : answer;
  const handler: ApolloHandler = function handle(request, reply) {
    const format = streams.formatFor(request);
    return format ? streams.serve(request, reply, format) : plain.call(this, request, reply);
  };
  const closeSockets = serveUpgrades(server.server, {
    sources: requestSources,
    limiter,
    places,
    corsOrigins: config.corsOrigins,
    formatError,
    logger,
    serve: createSocketHandler(schema, sources, { ...subscriptions, limiter }),
  });
  const draining = createDraining(server, {
    endSockets(overMs) {
      closeSockets(overMs);
      streams.close(overMs);
    },
    stopCopies: () => copies?.stop(),
    connections: () => connections.size,
    isFromProxy: (request) => requestSources.isFromProxy(request),
  });
  server.decorateRequest('caller', null);
  server.decorateRequest('operation', undefined);
  server.route({ method: 'POST', url: '/graphql', ...admission, handler });
  server.route({
    method: 'GET',
    url: '/graphql',
    ...admission,
    ...(protections.headers && { onSend: sandboxPolicy(explorer?.sandboxWatch) }),
    handler,
  });
  await registerBulkRoutes(server, {
    app: sources.app,
    operations,
    formatError,
    onRequest: admission.onBulkRequest,
    traceparentOf: (request) => requestSources.traceparentOf(request),
  });
  const probeLimit = createProbeLimit(requestSources, formatError);
  if (explorer) registerExplorer(server, explorer, probeLimit);
  if (pages && page)
    registerConsole(server, pages, {
      facts: { version: packageVersion(), explorer: explorer !== undefined, oidc },
      answer: page,
      endSession: sources.app.identity.providerEndSession,
      onRequest: probeLimit,
    });
  registerSessionRoutes(server, {
    app: sources.app,
    formatError,
    admission: { onRequest: admission.onRequest, preParsing: admission.preParsing },
  });
  const dependencies = await monitorApi(sources.app, () => draining.hasBegun, closers);
  registerHealth(server, dependencies, draining, probeLimit);
  if (config.queuePageOrganization !== undefined) {
    const { registerQueuePage } = await import('./queues/queue-page.js');
    await registerQueuePage(server, {
      app: sources.app,
      organization: config.queuePageOrganization,
      sources: requestSources,
      formatError,
      admit: admission.onBulkRequest,
      probeLimit,
    });
  }
  measureRequests(server, sources);
  if (config.metricsPort === undefined) registerMetrics(server, metrics, probeLimit);

  const url = await listen(server, config.host, config.port);
  copies = await acceptMany(server.server, config.listeningSockets - 1, logger);
  closers.add(() => copies?.stop());
  return {
    url,
    port: Number(new URL(url).port),
    drain: draining.begin,
    close: () => closers.close(),
  };
}
