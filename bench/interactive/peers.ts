import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { SignJWT } from 'jose';
import { youngGeneration } from '../../src/commands/server-process.js';
import type { Load } from '../door/processes.js';
import { pollFor, startFlask } from './flask.js';
import { listQuery, patientQuery, queryBodies } from './reads.js';
import { idle, repeat, tenPerSecond, workNames, type Side } from './side.js';

/** What every peer needs. */
export interface PeerSettings {
  /** Folder that bench/peer/set-up.sh has filled. */
  readonly folder: string;
  readonly environment: Record<string, string>;
  readonly token: string;
  readonly patientIds: readonly string[];
}

/** Name of the peers' database. It is on the same MongoDB as that of RiskGraph. */
export const peerDatabase = 'peer';

const secret = 'peer-0123456789-abcdefghijklmnopqrstuvwxyz';

export async function peerSettings(
  folder: string,
  engines: { readonly mongoUri: string; readonly redisUrl: string },
  patientIds: readonly string[],
): Promise<PeerSettings> {
  return {
    folder,
    environment: {
      MONGO_URI: engines.mongoUri,
      REDIS_URL: `${engines.redisUrl}/1`,
      PEER_DATABASE: peerDatabase,
      PEER_SECRET: secret,
    },
    token: await new SignJWT({ sub: 'bench' })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('3h')
      .sign(new TextEncoder().encode(secret)),
    patientIds,
  };
}

/**
 * Flask, Celery and shap. Jobs are polled.
 * @param pollMs the periods between two questions about a job, milliseconds
 */
export function flaskSide(
  settings: PeerSettings,
  predictionIds: readonly string[],
  { load, pollMs }: { readonly load: Load; readonly pollMs: readonly number[] },
): Side {
  const { token, patientIds } = settings;
  return {
    name: 'Flask + Celery + shap',
    async start() {
      const service = await startFlask(settings);
      const score = (periodMs: number) => async (index: number) => {
        await pollFor(service, await service.submit(patientIds[index % patientIds.length]!), periodMs);
      };
      const read = (paths: readonly string[], connections: number) => (seconds: number) =>
        load({ url: service.url, token, paths, connections, seconds });
      return {
        score: async () => pollFor(service, await service.submit(patientIds[0]!), 5),
        works: [
          { name: workNames.idle, run: idle },
          ...pollMs.flatMap((periodMs) => [
            {
              name: workNames.jobs,
              way: `polled every ${periodMs} ms`,
              run: (seconds: number) => repeat(score(periodMs), seconds),
            },
            {
              name: workNames.latency,
              way: `polled every ${periodMs} ms`,
              run: (seconds: number) => tenPerSecond(score(periodMs), seconds),
            },
          ]),
          { name: workNames.list, run: read(['/patients?first=50'], 20) },
          {
            name: workNames.patient,
            run: read(
              patientIds.map((id) => `/patients/${id}`),
              32,
            ),
          },
          {
            name: workNames.prediction,
            run: read(
              predictionIds.map((id) => `/predictions/${id}`),
              32,
            ),
          },
        ],
        stop: () => service.stop(),
      };
    },
  };
}

/** Starts a GraphQL server of bench/peer/node. */
export async function startNodePeer(
  library: 'mercurius' | 'apollo',
  { folder, environment }: PeerSettings,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const child = fork(fileURLToPath(new URL('../peer/node/server.mjs', import.meta.url)), [folder, library], {
    execArgv: [youngGeneration],
    env: { PATH: process.env.PATH, NODE_ENV: 'production', ...environment },
  });
  const [{ ready }] = (await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [{}])])) as [
    { ready?: string },
  ];
  if (ready === undefined) throw new Error(`the ${library} peer ended before it served`);
  return {
    url: ready,
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** A GraphQL server with a token check alone, on the same rows in plain text. */
export function nodeSide(name: string, library: 'mercurius' | 'apollo', settings: PeerSettings, load: Load): Side {
  return {
    name,
    async start() {
      const { url, stop } = await startNodePeer(library, settings);
      const read = (bodies: readonly string[], connections: number) => (seconds: number) =>
        load({ url, token: settings.token, bodies, connections, seconds });
      return {
        works: [
          { name: workNames.list, run: read([JSON.stringify({ query: listQuery })], 20) },
          { name: workNames.patient, run: read(queryBodies(patientQuery, settings.patientIds), 32) },
        ],
        stop,
      };
    },
  };
}
