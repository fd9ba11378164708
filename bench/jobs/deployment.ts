import { readFileSync } from 'node:fs';
import { Role } from '../../models/index.js';
import { apiClient } from '../../src/commands/api-client.js';
import type { GraphqlClient } from '../../src/client/graphql-client.js';
import { startServerProcess } from '../../src/commands/server-process.js';
import type { Engine } from '../../src/embedded/engine.js';
import type { BenchSystem } from './setup.js';

/** API and worker in their own processes, and a clinician who calls. */
export interface Deployment {
  readonly api: Engine;
  readonly worker: Engine;
  readonly client: GraphqlClient;
  close(): Promise<void>;
}

export async function startDeployment({ app, environment, viewer }: BenchSystem): Promise<Deployment> {
  const [worker, api] = await Promise.all([
    startServerProcess('worker', environment),
    startServerProcess('api', environment),
  ]);
  const client = apiClient(api.url, await benchToken(app, viewer));
  return {
    api,
    worker,
    client,
    async close() {
      await client.close();
      await api.stop();
      await worker.stop();
    },
  };
}

/** Signs an access token of the clinician that is valid for one hour. */
export const benchToken = (app: BenchSystem['app'], { organizationId }: BenchSystem['viewer']): Promise<string> =>
  app.accessTokens.sign({ username: 'bench', role: Role.CLINICIAN, organizationId }, 3600);

/** Reads the resident memory of another process in bytes. Linux only. */
export const residentBytes = (pid: number): number =>
  1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
