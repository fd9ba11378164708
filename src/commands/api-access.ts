import type { Command } from 'commander';
import { Role } from '../../models/index.js';
import { createBulkClient, type BulkClient } from './bulk-client.js';
import type { GraphqlClient } from '../client/graphql-client.js';
import type { Config } from '../config/config.js';
import { readRuntime } from '../embedded/data-directory.js';
import { apiClient } from './api-client.js';
import { commandConfig } from './environment.js';
import { givenToken, tokenHelp, tokenOption } from './given-token.js';
import { connectLocalDatabase, issueLocalToken } from './local-access.js';
import { organizationOptions, type OrganizationOptions } from './organization-options.js';

/** The options of a command that calls the API of a running deployment. */
export interface ApiOptions extends OrganizationOptions {
  readonly url?: string;
  readonly token?: string;
}

/** The clients of a server, with the right to call it. */
export interface ApiAccess {
  readonly client: GraphqlClient;
  readonly bulk: BulkClient;
}

/** Adds the options of `ApiOptions` to a command. */
export const withApiOptions = (command: Command): Command =>
  organizationOptions(
    command
      .option('--url <url>', 'the API (default: that of the running "riskgraph up", else HOST and PORT)')
      .option(tokenOption, `access token of a CLINICIAN; a local one is signed if none is given; ${tokenHelp}`),
    'organization of the local token',
  );

/** Finds the API, and takes the given token or signs a local one. The caller closes the client. */
export async function accessApi(options: ApiOptions): Promise<ApiAccess> {
  const config = commandConfig();
  const url = options.url ?? (await localUrl(config));
  const token = (await givenToken(options.token)) ?? (await localToken(config, options));
  return { client: apiClient(url, token), bulk: createBulkClient(url, token) };
}

async function localUrl(config: Config): Promise<string> {
  const port = (await readRuntime(config.dataDirectory))?.port ?? config.port;
  return `http://${config.host}:${port}`;
}

async function localToken(config: Config, organization: OrganizationOptions): Promise<string> {
  const database = await connectLocalDatabase(config);
  try {
    return await issueLocalToken(config, database.models, {
      role: Role.CLINICIAN,
      organization,
      timeToLiveSeconds: 24 * 3600,
    });
  } finally {
    await database.close();
  }
}
