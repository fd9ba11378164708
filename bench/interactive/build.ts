import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { apiClient } from '../../src/commands/api-client.js';
import type { GraphqlClient } from '../../src/client/graphql-client.js';
import { youngGeneration } from '../../src/commands/server-process.js';

/** A build of RiskGraph: a folder as `npm run build` writes it. */
export interface Build {
  readonly name: string;
  readonly folder: string;
}

/** API and worker of one build, as processes of their own, and a client. */
export interface RunningBuild {
  readonly url: string;
  readonly client: GraphqlClient;
  stop(): Promise<void>;
}

/** Several processes of a kind, and a client for each API process. */
export interface RunningGroup {
  readonly urls: readonly string[];
  readonly clients: readonly GraphqlClient[];
  stop(): Promise<void>;
}

/** The folder for CPU profiles of the API; undefined for none. */
const profiles = process.env.PROFILES;
/** Further options of Node.js for the API. What they print is shown. */
const apiOptions = process.env.API_OPTIONS?.split(' ') ?? [];

/** Starts one API and one worker of a build. @param token of the client */
export async function startBuild(
  build: Build,
  environment: Record<string, string>,
  token: string,
): Promise<RunningBuild> {
  const { urls, clients, stop } = await startGroup(build, environment, token, { apis: 1, workers: 1 });
  return { url: urls[0]!, client: clients[0]!, stop };
}

/** Starts so many processes of a build. @param token of the clients */
export async function startGroup(
  { folder }: Build,
  environment: Record<string, string>,
  token: string,
  { apis: apiCount, workers: workerCount }: { readonly apis: number; readonly workers: number },
): Promise<RunningGroup> {
  const start = async (command: 'api' | 'worker'): Promise<{ child: ChildProcess; ready: string }> => {
    const child = fork(join(folder, 'src/cli.js'), [command], {
      execArgv: [
        youngGeneration,
        ...(command === 'api' && profiles ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : []),
        ...(command === 'api' ? apiOptions : []),
      ],
      env: { PATH: process.env.PATH, ...environment },
      stdio: ['ignore', apiOptions.length > 0 ? 'inherit' : 'ignore', 'inherit', 'ipc'],
    });
    const [message] = (await once(child, 'message')) as [{ ready?: string; failed?: string }];
    if (message.ready === undefined) throw new Error(message.failed);
    return { child, ready: message.ready };
  };
  const startMany = (count: number, command: 'api' | 'worker') =>
    Promise.all(Array.from({ length: count }, () => start(command)));
  const [workers, apis] = await Promise.all([startMany(workerCount, 'worker'), startMany(apiCount, 'api')]);
  const urls = apis.map(({ ready }) => ready);
  const clients = urls.map((url) => apiClient(url, token));
  return {
    urls,
    clients,
    async stop() {
      await Promise.all(clients.map((client) => client.close()));
      for (const { child } of [...apis, ...workers]) {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
      }
    },
  };
}
