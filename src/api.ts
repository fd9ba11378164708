import { buildGuardedSchema, type SchemaDependencies } from '../schema/build-schema.js';
import { createInputIssues } from '../schema/input-checks.js';
import type { App } from './app.js';
import { startOrClose } from './closers.js';
import { interruptible } from './http/interruptible.js';
import type { HttpParts } from './http/operation-context.js';
import type { Protections } from './http/protections.js';
import { startHttpServer, type HttpServer } from './http/server.js';
import { createJobStreams } from './jobs/job-stream.js';
import { createPredictionStreams } from './predictions/prediction-stream.js';
import { logError } from './process/logger.js';

/** The parts of the app that the API needs. */
export type ApiParts = SchemaDependencies & HttpParts & Pick<App, 'events'>;

/**
 * Starts the API of an app. Closing the API does not close the app. A failed start closes everything that it started.
 * @param protections only set by the benchmark that measures their cost
 */
export async function startApi(app: ApiParts, protections?: Protections): Promise<HttpServer> {
  const { database, models, events, scopeOf, identity, logger } = app;
  return startOrClose(
    async (closers) => {
      const jobStreams = createJobStreams({ database, models, events, logger });
      closers.add(() => jobStreams.close());
      const predictionStreams = createPredictionStreams({ models, events, scopeOf, logger });
      closers.add(() => predictionStreams.close());
      await identity.start();
      const schema = interruptible(buildGuardedSchema(app));
      const server = await startHttpServer({
        schema,
        inputIssues: createInputIssues(app),
        app,
        jobStreams,
        predictionStreams,
        protections,
      });
      closers.add(() => server.close());
      const { url, port, drain } = server;
      logger.info({ url }, 'API started');
      return { url, port, drain, close: () => closers.close() };
    },
    (error) => logError(logger, error, 'a part of the failed start did not close', { level: 'warn' }),
  );
}
