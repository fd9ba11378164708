import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { StartupError } from '../errors.js';
import { logError } from '../process/logger.js';

/** Most connections at the same time. Probes and Prometheus need a few. */
const mostConnections = 64;
/** Longest time of a request, milliseconds. */
const requestMs = 5_000;

/** An answer of the monitoring port. */
export interface MonitoringAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Makes the answer of each path. */
export type MonitoringPages = Readonly<Record<string, () => Promise<MonitoringAnswer>>>;

export const jsonAnswer = (status: number, body: object): MonitoringAnswer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: JSON.stringify(body),
});

/**
 * Serves pages for the operator's own machines on a port apart from the API. It asks for no credential, so it must not
 * be published.
 * @returns the port, and a function that closes the server
 * @throws StartupError when the port cannot be used
 */
export async function startMonitoringServer(
  pages: MonitoringPages,
  { host, port, logger }: { readonly host: string; readonly port: number; readonly logger: Logger },
): Promise<{ readonly port: number; close(): Promise<void> }> {
  async function answer({ method, url = '/' }: IncomingMessage, response: ServerResponse): Promise<void> {
    const page = Object.hasOwn(pages, url) ? pages[url] : undefined;
    const { status, type, body } =
      method !== 'GET' && method !== 'HEAD'
        ? jsonAnswer(405, { error: 'Only GET is answered here.' })
        : page
          ? await page()
          : jsonAnswer(404, { error: `Only ${Object.keys(pages).join(', ')} are here.` });
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
    response.end(method === 'HEAD' ? undefined : body);
  }
  const server = createServer(
    { requestTimeout: requestMs, headersTimeout: requestMs, connectionsCheckingInterval: requestMs },
    (request, response) => {
      // A body is never read, so its connection cannot serve another request.
      if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined)
        response.setHeader('connection', 'close');
      answer(request, response).catch((error: unknown) => {
        logError(logger, error, 'a request to the monitoring port failed');
        response.writeHead(500).end();
      });
    },
  );
  server.maxConnections = mostConnections;
  server.setTimeout(2 * requestMs);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new StartupError(
          error.code === 'EADDRINUSE'
            ? `Port ${port} of ${host} is in use by another program: stop it, or set METRICS_PORT to a free one.`
            : `Metrics cannot be served on port ${port} of ${host} (${error.code}): correct METRICS_HOST or METRICS_PORT.`,
        ),
      ),
    );
    // Processes that share a port would share a free one too.
    server.listen({ port, host, exclusive: port === 0 }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
