/* eslint-disable no-console -- a benchmark prints */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ensureOrganization } from '../src/identity/organizations.js';
import { Role } from '../models/index.js';
import type { CallerReport, SocketTimes } from './hostile/caller.js';
import { residentBytes } from './jobs/deployment.js';
import { patientIds, startBenchSystem } from './jobs/setup.js';

// Attacks an API that was started as in production, with the heap of docker-compose.yml and 1,024 descriptors. One
// well-behaved caller of another organization measures its latency meanwhile, in a process that runs before the others
// where the system lets it (hostile/caller.ts). The run fails when that caller is refused once, when its 99th percentile
// is above a second, or when memory or the connections of clients do not return to where they were. Descriptors may grow
// by the pool of connections to MongoDB, which grows under load and then stays.
// Arguments: seconds, and a folder of another build to attack in place of this one. It needs the build (npm run build),
// and runs on Linux only. PROFILE=folder writes a CPU profile of the API there.
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

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const cli = join(process.argv[3] ?? here('../dist'), 'src/cli.js');
const folder = mkdtempSync(join(tmpdir(), 'riskgraph-hostile-'));
const delayFile = join(folder, 'delay.json');
const profile = process.env.PROFILE === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', process.env.PROFILE];
const options = [...heap, ...profile, '--import', here('./hostile/loop-delay.mjs'), cli, 'api'];
const api = spawn('sh', ['-c', `ulimit -n ${mostDescriptors}; exec "$0" "$@"`, process.execPath, ...options], {
  env: { PATH: process.env.PATH, ...environment, LOOP_DELAY_FILE: delayFile },
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
  /** Delays of the API's event loop since the last call, milliseconds. */
  async function loopDelay(): Promise<{ readonly p50: number; readonly p99: number; readonly most: number }> {
    rmSync(delayFile, { force: true });
    api.kill('SIGUSR2');
    for (;;) {
      await sleep(50);
      try {
        return JSON.parse(readFileSync(delayFile, 'utf8')) as { p50: number; p99: number; most: number };
      } catch {
        // Not written yet.
      }
    }
  }
  /** Connections that the kernel dropped because the queue of a listening socket was full, of the whole machine. */
  function overflows(): number {
    const [names, numbers] = readFileSync('/proc/net/netstat', 'utf8').split('\n');
    return Number(numbers!.split(' ')[names!.split(' ').indexOf('ListenOverflows')]);
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

  // No worker runs, so the job stays unfinished.
  const [patientId] = await patientIds(app.models, 1);
  const job = await app.jobs.submit(system.viewer, { patientId: patientId!, modelId: 'heart-disease' });
  const caller = fork(here('./hostile/caller.ts'), [url, good, job._id.toHexString(), String(seconds)]);
  await once(caller, 'message');
  const before = await state();
  await loopDelay();
  const overflowsBefore = overflows();
  let most = { ...before };
  const attacker = fork(here('./hostile/attacker.ts'), [String(new URL(url).port), bad, String(seconds)]);
  const attacked = once(attacker, 'message') as Promise<[Record<string, number>]>;
  const measured = once(caller, 'message') as Promise<[CallerReport]>;
  caller.send('begin');
  const until = Date.now() + seconds * 1000;
  while (Date.now() < until) {
    most = {
      ...most,
      memory: Math.max(most.memory, residentBytes(api.pid!)),
      descriptors: Math.max(most.descriptors, descriptors()),
      clients: Math.max(most.clients, clients()),
    };
    await sleep(100);
  }
  const delay = await loopDelay();
  const dropped = overflows() - overflowsBefore;
  const [{ queries, sockets, lag, raised }] = await measured;
  const [counts] = await attacked;

  let after = await state();
  // Idle connections end with Fastify's time limit for them, 72 seconds.
  for (let waited = 0; waited < 120 && after.clients > before.clients + 8; waited += 1) {
    await sleep(1_000);
    after = await state();
  }

  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const row = (name: string, latencies: readonly (number | undefined)[]): string => {
    const sorted = latencies.filter((latency) => latency !== undefined).sort((a, b) => a - b);
    const at = (part: number): string => `${(sorted[Math.floor(part * sorted.length)] ?? NaN).toFixed(0)} ms`;
    failed ||= sorted.length < latencies.length || !((sorted[Math.floor(0.99 * sorted.length)] ?? NaN) < 1_000);
    return `| ${name} | ${latencies.length}, ${latencies.length - sorted.length} refused | p50 ${at(0.5)}, p99 ${at(0.99)}, most ${at(0.999999)} |`;
  };
  console.log(`${seconds} s, ${Object.values(counts).reduce((sum, count) => sum + count, 0)} hostile connections\n`);
  console.log('| of the well-behaved caller | number | latency |\n|---|---|---|');
  const steps: readonly (readonly [name: string, step: keyof SocketTimes])[] = [
    ['the kernel connected them', 'connected'],
    ['they were opened (101)', 'upgraded'],
    ['their acknowledgement', 'acknowledged'],
    ['the first event', 'event'],
  ];
  console.log(row('queries', queries));
  for (const [name, step] of steps)
    console.log(
      row(
        `sockets until ${name}`,
        sockets.map((times) => times?.[step]),
      ),
    );
  const ms = (value: number): string => `${value.toFixed(0)} ms`;
  console.log(
    `\nDelays of the event loop of the API: p50 ${ms(delay.p50)}, p99 ${ms(delay.p99)}, most ${ms(delay.most)}. Of the ` +
      `caller${raised ? '' : ' (which did not run before others)'}: p99 ${ms(lag.p99)}, most ${ms(lag.most)}. ` +
      `${dropped} connections found a full queue.`,
  );
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
} finally {
  api.kill();
  if (profile.length > 0 && api.exitCode === null) await once(api, 'exit');
  rmSync(folder, { recursive: true, force: true });
  await system.close();
}
process.exit(failed ? 1 : 0);
