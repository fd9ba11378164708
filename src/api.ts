import { buildGuardedSchema } from '../schema/build-schema.js';
import type { App } from './app.js';
import type { Protections } from './http/protections.js';
import { startHttpServer, type HttpServer } from './http/server.js';
import { createJobStreams } from './jobs/job-stream.js';
import { createPredictionStreams } from './predictions/prediction-stream.js';

/**
 * Starts the API of an app. Closing it leaves the app open.
 * @param protections for the benchmark of what they cost
 */
export async function startApi(app: App, protections?: Protections): Promise<HttpServer> {
  const jobStreams = createJobStreams(app.models, app.events, app.logger);
  const predictionStreams = createPredictionStreams(app.events, app.scopeOf, app.logger);
  const closeStreams = (): void => {
    jobStreams.close();
    predictionStreams.close();
  };
  try {
    await app.identity.start();
    const server = await startHttpServer(buildGuardedSchema(app), { app, jobStreams, predictionStreams }, protections);
    app.logger.info({ url: server.url }, 'API started');
    return {
      ...server,
      async close() {
        await server.close();
        closeStreams();
      },
    };
  } catch (error) {
    closeStreams();
    throw error;
  }
}
