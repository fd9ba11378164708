import WebSocket from 'ws';
import { ConnectionError } from '../client/errors.js';
import { createClient, type GraphqlClient } from '../client/graphql-client.js';
import { StartupError } from '../errors.js';
import { codeOf, tlsRemedy, unreachable } from './unreachable.js';

/** Failures in a row after which a command gives up to follow a job, after about half a minute. */
const attempts = 10;

/**
 * Creates the client of a command. It follows a job also while the API restarts.
 * @param url of the server, e.g. `http://127.0.0.1:4000`
 * @throws StartupError when the URL is not valid
 */
export function apiClient(url: string, token?: string): GraphqlClient {
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw new StartupError(`${url} is not the URL of a RiskGraph: give one such as http://127.0.0.1:4000.`);
  const client = createClient({ url, token, webSocket: WebSocket, attempts });
  return {
    ...client,
    request: (document, variables, signal) =>
      client.request(document, variables, signal).catch((error: unknown) => {
        if (!(error instanceof ConnectionError)) throw error;
        if (tlsRemedy(codeOf(error)) !== undefined) throw unreachable(new URL(url), error);
        throw new StartupError(
          `No RiskGraph answers at ${new URL(url).origin}: start it with "riskgraph up", or name another server with --url.`,
          { cause: error },
        );
      }),
  };
}
