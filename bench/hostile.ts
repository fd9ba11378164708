/* eslint-disable no-console -- a benchmark prints */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import WebSocket from 'ws';
import { ensureOrganization } from '../src/identity/organizations.js';
import { Role } from '../models/index.js';
import { residentBytes } from './jobs/deployment.js';
import { startBenchSystem } from './jobs/setup.js';

// Attacks an API that was started as in production, with the heap of docker-compose.yml and 1,024 descriptors. One
// well-behaved caller of another organization measures its latency meanwhile. The run fails when that caller is refused
// once, when its 99th percentile is above a second, or when memory or the connections of clients do not return to where
// they were. Descriptors may grow by the pool of connections to MongoDB, which grows under load and then stays.
// Argument: seconds. It needs the build (npm run build), and runs on Linux only.
const seconds = Number(process.argv[2] ?? 600);
const mostDescriptors = 1_024;
/** Most connections to MongoDB of one process, as in src/storage/database.ts. */
const poolSize = 50;
const heap = ['--max-semi-space-size=64', '--max-old-space-size=768'];

const system = await startBenchSystem(200, {
  NODE_ENV: 'production',
  ENCRYPTION_KEYS: 'bench:3f1c9a7be2d84650a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60789',
  LOG_LEVEL: 'fatal',
});
const { app, environment } = system;
const organization = await ensureOrganization(app.models, 'attackers');
const sign = (username: string, organizationId: string): Promise<string> =>
  app.accessTokens.sign({ username, role: Role.CLINICIAN, organizationId }, seconds + 3_600);
const good = await sign('bench', system.viewer.organizationId);
const bad = await sign('attacker', organization._id.toHexString());

const cli = fileURLToPath(new URL('../dist/src/cli.js', import.meta.url));
const api = spawn('sh', ['-c', `ulimit -n ${mostDescriptors}; exec "$0" "$@"`, process.execPath, ...heap, cli, 'api'], {
  env: { PATH: process.env.PATH, ...environment },
  stdio: ['ignore', 'pipe', 'inherit'],
});
let failed = false;
try {
  const [line] = (await once(api.stdout, 'data')) as [Buffer];
  const url = /http:\/\/\S+(?=\/graphql)/.exec(line.toString())![0];
  const descriptors = (): number => readdirSync(`/proc/${api.pid!}/fd`).length;
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0');
  /** Connections that clients have with the API, also those that they left and the API did not close. */
  const clients = (): number =>
    readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local, , state, , , , , , inode]) => local?.endsWith(`:${port}`) && state !== '0A' && inode !== '0')
      .length;
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });

  /** One request of the well-behaved caller. @returns its latency in milliseconds; undefined when it was refused */
  async function ask(): Promise<number | undefined> {
    const began = performance.now();
    const body = JSON.stringify({ query: '{ patients(first: 5) { edges { node { id mrn } } } }' });
    const asked = request(`${url}/graphql`, {
      method: 'POST',
      agent,
      localAddress: '127.0.0.2',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${good}` },
    });
    asked.end(body);
    try {
      const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
      const text = (await response.toArray()).join('');
      return response.statusCode === 200 && !text.includes('"errors"') ? performance.now() - began : undefined;
    } catch {
      return undefined;
    }
  }

  /** Opens a socket, and waits for its acknowledgement. @returns its latency; undefined when it was refused */
  function connect(): Promise<number | undefined> {
    const began = performance.now();
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws', {
      localAddress: '127.0.0.2',
    });
    return new Promise((resolve) => {
      const end = (latency?: number): void => {
        socket.terminate();
        resolve(latency);
      };
      socket.on('open', () =>
        socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${good}` } })),
      );
      socket.once('message', () => end(performance.now() - began));
      socket.on('error', () => end()).on('close', () => end());
    });
  }

  /** Memory in use of the API by its own metrics, bytes: the heap and the buffers outside it. */
  async function used(): Promise<number> {
    const text = await (await fetch(`${url}/metrics`)).text();
    const metric = (name: string): number => Number(new RegExp(`^nodejs_${name}_bytes (\\d+)`, 'm').exec(text)![1]);
    return metric('heap_size_used') + metric('external_memory');
  }
  const state = async () => ({
    memory: residentBytes(api.pid!),
    used: await used(),
    descriptors: descriptors(),
    clients: clients(),
  });

  for (let warm = 0; warm < 200; warm += 1) await ask();
  const before = await state();
  let most = { ...before };
  const attacker = fork(fileURLToPath(new URL('./hostile/attacker.ts', import.meta.url)), [
    String(new URL(url).port),
    bad,
    String(seconds),
  ]);
  const reported = once(attacker, 'message') as Promise<[Record<string, number>]>;
  const asked: (number | undefined)[] = [];
  const opened: (number | undefined)[] = [];
  const until = Date.now() + seconds * 1000;
  const during = async (pauseMs: number, work: () => Promise<unknown>): Promise<void> => {
    while (Date.now() < until) {
      await work();
      await sleep(pauseMs);
    }
  };
  await Promise.all([
    during(50, async () => asked.push(await ask())),
    during(1_000, async () => opened.push(await connect())),
    during(100, async () => {
      most = {
        ...most,
        memory: Math.max(most.memory, residentBytes(api.pid!)),
        descriptors: Math.max(most.descriptors, descriptors()),
        clients: Math.max(most.clients, clients()),
      };
    }),
  ]);
  const [counts] = await reported;

  let after = await state();
  // Idle connections end with Fastify's time limit for them, 72 seconds.
  for (let waited = 0; waited < 120 && after.clients > before.clients + 8; waited += 1) {
    await sleep(1_000);
    after = await state();
  }

  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const row = (name: string, latencies: (number | undefined)[]): string => {
    const sorted = latencies.filter((latency) => latency !== undefined).sort((a, b) => a - b);
    const at = (part: number): string => `${(sorted[Math.floor(part * sorted.length)] ?? NaN).toFixed(0)} ms`;
    failed ||= sorted.length < latencies.length || !((sorted[Math.floor(0.99 * sorted.length)] ?? NaN) < 1_000);
    return `| ${name} | ${latencies.length}, ${latencies.length - sorted.length} refused | p50 ${at(0.5)}, p99 ${at(0.99)}, most ${at(0.999999)} |`;
  };
  console.log(`${seconds} s, ${Object.values(counts).reduce((sum, count) => sum + count, 0)} hostile connections\n`);
  console.log('| of the well-behaved caller | number | latency |\n|---|---|---|');
  console.log(row('queries', asked));
  console.log(row('sockets until their acknowledgement', opened));
  console.log('\n| of the API | before | most | after |\n|---|---|---|---|');
  console.log(`| resident memory | ${mib(before.memory)} | ${mib(most.memory)} | ${mib(after.memory)} |`);
  console.log(`| heap and buffers in use | ${mib(before.used)} | | ${mib(after.used)} |`);
  console.log(`| descriptors | ${before.descriptors} | ${most.descriptors} | ${after.descriptors} |`);
  console.log(`| connections of clients | ${before.clients} | ${most.clients} | ${after.clients} |`);
  console.log(
    `\n${Object.entries(counts)
      .map(([name, count]) => `${name}: ${count}`)
      .join('; ')}`,
  );
  failed ||= after.clients > before.clients + 8 || after.descriptors > before.descriptors + poolSize;
  failed ||= after.used > before.used + 100 * 2 ** 20;
  agent.destroy();
} finally {
  api.kill();
  await system.close();
}
process.exit(failed ? 1 : 0);
