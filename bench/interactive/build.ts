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

/** The folder for CPU profiles of the API; undefined for none. */
const profiles = process.env.PROFILES;

/** Starts the API and the worker of a build. @param token of the client */
export async function startBuild(
  { folder }: Build,
  environment: Record<string, string>,
  token: string,
): Promise<RunningBuild> {
  const start = async (command: 'api' | 'worker'): Promise<{ child: ChildProcess; ready: string }> => {
    const child = fork(join(folder, 'src/cli.js'), [command], {
      execArgv: [
        youngGeneration,
        ...(command === 'api' && profiles ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : []),
      ],
      env: { PATH: process.env.PATH, ...environment },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const [message] = (await once(child, 'message')) as [{ ready?: string; failed?: string }];
    if (message.ready === undefined) throw new Error(message.failed);
    return { child, ready: message.ready };
  };
  const [worker, api] = await Promise.all([start('worker'), start('api')]);
  const client = apiClient(api.ready, token);
  return {
    url: api.ready,
    client,
    async stop() {
      await client.close();
      for (const { child } of [api, worker]) {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
      }
    },
  };
}
