import type { IncomingMessage } from 'node:http';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import type { App } from '../../app.js';
import { BadUserInputError } from '../../errors.js';
import type { ErrorFormatter } from '../error-format.js';
import type { Operations } from '../operations.js';
import { authorize } from '../../auth/authorize.js';
import { authorizeCohort } from '../../jobs/cohort-submission.js';
import { answerError, requireViewer } from './bulk-answers.js';
import { createBulkPlaces } from './bulk-places.js';
import { cohortTypes } from './cohort-body.js';
import { createCohortRoute } from './cohort-route.js';
import { createResultsRoute } from './results-route.js';

/** Cohorts under way. Each holds a thousand patients, the MRN of each, and a file. */
const mostCohorts = { perUser: 2, perOrganization: 3, perNode: 6 } as const;
/** Streams of results under way. Each holds one chunk of its batch. */
const mostStreams = { perUser: 4, perOrganization: 16, perNode: 32 } as const;

interface BulkRouteDependencies {
  readonly app: Pick<
    App,
    'config' | 'tracing' | 'audit' | 'identity' | 'registry' | 'submitCohort' | 'readBatchResults'
  >;
  readonly operations: Operations;
  readonly formatError: ErrorFormatter;
  /** Checks host, caller and rate before the body is read. */
  readonly onRequest: onRequestAsyncHookHandler;
  /** The span of a trusted proxy. */
  readonly traceparentOf: (request: IncomingMessage) => string | undefined;
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/**
 * Serves the doors for many patients at once: cohorts in (`POST /cohorts`), results out
 * (`GET /jobs/:id/predictions.ndjson`). Bodies reach these routes as streams, and no other route takes them.
 */
export async function registerBulkRoutes(
  server: FastifyInstance,
  { app, operations, formatError, onRequest, traceparentOf }: BulkRouteDependencies,
): Promise<void> {
  const refusing =
    (handler: Handler): Handler =>
    (request, reply) =>
      app.tracing.arriving(`${request.method} ${request.routeOptions.url}`, traceparentOf(request.raw), () =>
        handler(request, reply).catch((error: unknown) =>
          answerError(error, { request, reply }, { audit: app.audit, formatError }),
        ),
      );

  await server.register(async (routes) => {
    routes.removeAllContentTypeParsers();
    routes.addContentTypeParser(Object.keys(cohortTypes), (_request, payload, done) => done(null, payload));
    routes.setErrorHandler((error: FastifyError, request, reply) =>
      answerError(refusalOf(request) ?? described(error), { request, reply }, { audit: app.audit, formatError }),
    );
    routes.post(
      '/cohorts',
      { onRequest },
      refusing(
        createCohortRoute({
          app,
          places: createBulkPlaces('cohorts', mostCohorts),
          limits: app.config.cohortLimits,
          formatError,
        }),
      ),
    );
    routes.get(
      '/jobs/:id/predictions.ndjson',
      // Fastify would answer HEAD by reading all results and dropping them.
      { onRequest, exposeHeadRoute: false },
      refusing(
        createResultsRoute({
          app,
          featuresOf: (modelId, modelVersion) =>
            new Map(
              app.registry.manifest(modelId, modelVersion)?.features.map((feature) => [feature.code, feature]) ?? [],
            ),
          places: createBulkPlaces('streams of results', mostStreams),
          bytes: operations.bytes,
        }),
      ),
    );
  });
}

/**
 * The refusal of a caller who may not use a door. It comes before all that is wrong with the request, so that a stranger
 * learns nothing of what a door takes.
 */
function refusalOf(request: FastifyRequest): unknown {
  // The fault came before the caller was known.
  if (!request.caller) return undefined;
  try {
    authorizeDoor(request);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** @throws the reason why the caller may not use the door, UnauthenticatedError, ForbiddenError */
function authorizeDoor(request: FastifyRequest): void {
  const viewer = requireViewer(request);
  if (request.method === 'POST') authorizeCohort(viewer);
  else authorize(viewer, 'prediction:read');
}

/** An error of Fastify about the request, in our words. Any other error stays as it is. */
function described(error: FastifyError): Error {
  if (error.statusCode === undefined || error.statusCode >= 500) return error;
  return new BadUserInputError([
    error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE'
      ? { path: 'content-type', message: `is not that of a cohort: send ${Object.keys(cohortTypes).join(' or ')}` }
      : { path: 'request', message: 'could not be read: check its headers and its body' },
  ]);
}
