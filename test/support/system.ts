import type { Logger } from 'pino';
import { Role } from '../../models/index.js';
import { startApi } from '../../src/api.js';
import { createApp, type App } from '../../src/app.js';
import { ensureOrganization } from '../../src/identity/organizations.js';
import { apiClient } from '../../src/commands/api-client.js';
import type { ResponseError } from '../../src/client/errors.js';
import type { GraphqlClient } from '../../src/client/graphql-client.js';
import { loadConfig } from '../../src/config/config.js';
import type { HttpServer } from '../../src/http/server.js';
import { createLogger } from '../../src/process/logger.js';
import { startWorkers } from '../../workers/index.js';
import { atEnd } from './at-end.js';
import { namespace } from './namespace.js';
import { randomMasterKeys } from './protection.js';

/** Signs the tokens of every test system. */
export const testSecretKey = 'n2Q7vX0pLk9sTzR4yW8bHc3mJf6dGa1E';
/** ENCRYPTION_KEYS of every system of a test file. */
export const testEncryptionKeys = randomMasterKeys('test').join();

/** The databases of a system, or those of a namespace. */
interface Databases {
  readonly mongoUri?: string | undefined;
  readonly redisUrl?: string | undefined;
  readonly redisPrefix: string;
}

/** Settings of a process over these databases, with the secrets of every test system. */
export const settingsFor = ({ mongoUri, redisUrl, redisPrefix }: Databases) => ({
  NODE_ENV: 'test',
  LOG_LEVEL: 'silent',
  PORT: '0',
  SECRET_KEY: testSecretKey,
  ENCRYPTION_KEYS: testEncryptionKeys,
  MONGO_URI: mongoUri,
  REDIS_URL: redisUrl,
  REDIS_PREFIX: redisPrefix,
  LISTENING_SOCKETS: '1',
});

/** The API's answer to one request. */
export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly data?: T | null;
  readonly errors?: readonly ResponseError[];
  /** The whole body exactly as it was received. */
  readonly text: string;
}

/** A whole RiskGraph, API and worker, over a namespace of its own, reached over real sockets. */
export interface System {
  readonly app: App;
  readonly server: HttpServer;
  /** e.g. `http://127.0.0.1:41234` */
  readonly url: string;
  /** Id of the organization, which is created when it is missing. */
  organizationId(slug?: string): Promise<string>;
  /** A token of `role` in the organization. */
  token(role: Role | `${Role}`, slug?: string, timeToLiveSeconds?: number): Promise<string>;
  /** A client of the generated documents; closed with the system. */
  client(role: Role | `${Role}`, slug?: string): Promise<GraphqlClient>;
  /** Posts an operation. Without a token the caller is anonymous. */
  post<T = Record<string, unknown>>(query: string, variables?: object, token?: string): Promise<Answer<T>>;
  /**
   * Counts the documents of each collection, to prove that a refused request changed nothing. The audit trail is
   * left out, and so are data keys, which the first request of an organization makes.
   */
  counts(): Promise<Record<string, number>>;
}

/**
 * Starts a system, and closes it at the end of the test that starts it or, started at the top of a file, of that file.
 * @param options.worker false leaves jobs in the queue; `environment` overrides settings; `logger` gets every line
 */
export async function startSystem(
  options: {
    readonly worker?: boolean;
    readonly environment?: Readonly<Record<string, string>>;
    readonly logger?: Logger;
  } = {},
): Promise<System> {
  const config = loadConfig({ ...settingsFor(namespace()), ...options.environment });
  const app = await createApp(config, options.logger ?? createLogger(config.logLevel, 'test'));
  const server = await startApi(app);
  const workers = options.worker === false ? undefined : await startWorkers(app);
  const clients: GraphqlClient[] = [];
  atEnd(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await server.close();
    await workers?.close();
    await app.close();
  });
  return systemOf(app, server, clients);
}

function systemOf(app: App, server: HttpServer, clients: GraphqlClient[]): System {
  const { url } = server;
  const organizationId = async (slug = 'alpha'): Promise<string> =>
    (await ensureOrganization(app.models, slug))._id.toHexString();
  const token = async (role: Role | `${Role}`, slug?: string, timeToLiveSeconds = 3600): Promise<string> =>
    app.accessTokens.sign(
      { username: `the-${role.toLowerCase()}`, role: Role[role], organizationId: await organizationId(slug) },
      timeToLiveSeconds,
    );
  return {
    app,
    server,
    url,
    organizationId,
    token,
    async client(role, slug) {
      const client = apiClient(url, await token(role, slug));
      clients.push(client);
      return client;
    },
    async post(query, variables, accessToken) {
      return postBody(url, JSON.stringify({ query, variables }), accessToken);
    },
    async counts() {
      const counted = Object.entries(app.models)
        .filter(([name]) => !name.startsWith('audit') && name !== 'dataKeys')
        .map(async ([name, model]) => [name, await model.collection.countDocuments()] as const);
      return Object.fromEntries(await Promise.all(counted));
    },
  };
}

/** Posts a body without changing it, e.g. one that is not JSON. */
export async function postBody<T>(url: string, body: string, accessToken?: string): Promise<Answer<T>> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(accessToken && { authorization: `Bearer ${accessToken}` }) },
    body,
  });
  const text = await response.text();
  return { status: response.status, text, ...(JSON.parse(text) as { data?: T; errors?: ResponseError[] }) };
}

/** The codes of an answer's errors, in their order. */
export const codesOf = ({ errors }: Pick<Answer, 'errors'>): (string | undefined)[] =>
  (errors ?? []).map(({ extensions }) => extensions?.code);
