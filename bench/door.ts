/* eslint-disable no-console -- a benchmark prints */
import { Role } from '../models/index.js';
import { spawnEntry } from '../src/embedded/spawn-entry.js';
import { median, patientIds, secretKey, startBenchSystem, type BenchSystem } from './jobs/setup.js';

// What the protections of the door cost: authorised patient queries a second with all of them on, against the same server
// with all of them off (bench/door/bare.ts), in turn in one run. Each server, and the load, is a process of its own.
const rounds = Number(process.argv[2] ?? 7);
const seconds = Number(process.argv[3] ?? 5);
const connections = Number(process.argv[4] ?? 32);

const query = 'query Patient($id: ID!) { patient(id: $id) { id mrn givenName familyName birthDate sex features { code value unit } } }';

const system = await startBenchSystem(500);
try {
  const [everything, bare, load] = await Promise.all([startServer('protected'), startServer('bare'), startLoad()]);
  const token = await system.app.accessTokens.sign({ username: 'bench', role: Role.CLINICIAN, organizationId: system.viewer.organizationId }, 3600);
  const bodies = (await patientIds(system.app.models, 500)).map((id) => JSON.stringify({ query, variables: { id } }));
  const measure = async (server: Server, duration = seconds): Promise<Measured> => {
    const before = await server.cpuMicroseconds();
    const answered = await load({ url: server.url, token, bodies, connections, seconds: duration });
    return { rate: answered / duration, cpu: (await server.cpuMicroseconds() - before) / answered };
  };

  await measure(everything, 3);
  await measure(bare, 3);
  const ratios: number[] = [];
  const cpuRatios: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    // Whoever comes second may find a warmer or a busier machine: they take turns at it.
    const [first, second] = round % 2 === 1 ? [bare, everything] : [everything, bare];
    const measured = new Map([[first, await measure(first)], [second, await measure(second)]]);
    const [on, off] = [measured.get(everything)!, measured.get(bare)!];
    ratios.push(on.rate / off.rate);
    cpuRatios.push(off.cpu / on.cpu);
    console.log(`round ${round}: everything on ${shown(on)}, everything off ${shown(off)}, ratio ${(on.rate / off.rate).toFixed(3)}`);
  }
  console.log(`median ratio ${median(ratios).toFixed(3)} over ${rounds} rounds of ${seconds} s, ${connections} connections; by the servers' CPU time ${median(cpuRatios).toFixed(3)}`);
} finally {
  await system.close();
}
process.exit(0);

interface Server {
  readonly url: string;
  /** Used so far. It hardly depends on what else the machine does. */
  cpuMicroseconds(): Promise<number>;
}

interface Measured {
  /** Requests a second. */
  readonly rate: number;
  /** Microseconds of the server's CPU time a request. */
  readonly cpu: number;
}

function shown({ rate, cpu }: Measured): string {
  return `${rate.toFixed(0)} requests/s (${cpu.toFixed(0)} us of CPU each)`;
}

async function startServer(kind: 'protected' | 'bare'): Promise<Server> {
  const child = spawnEntry(new URL('./door/server.js', import.meta.url), { args: [kind], environment: environmentOf(system) });
  const report = await new Promise<{ ready?: string; failed?: string }>((resolve, reject) => child.once('message', resolve).once('exit', (code) => reject(new Error(`the server exited with ${code}`))));
  return {
    url: report.ready!,
    cpuMicroseconds: () =>
      new Promise((resolve) => {
        child.once('message', ({ cpu }: { cpu: NodeJS.CpuUsage }) => resolve(cpu.user + cpu.system));
        child.send({});
      }),
  };
}

async function startLoad() {
  const child = spawnEntry(new URL('./door/load.js', import.meta.url));
  const message = (): Promise<{ answered?: number; failed?: string }> => new Promise((resolve) => child.once('message', resolve));
  await message();
  return async (order: object): Promise<number> => {
    child.send(order);
    const { answered, failed } = await message();
    if (answered === undefined) throw new Error(failed);
    return answered;
  };
}

/** As in production, but with a limit of requests that the load does not meet. */
function environmentOf({ environment }: BenchSystem): Record<string, string> {
  return { ...environment, NODE_ENV: 'production', SECRET_KEY: secretKey, RATE_LIMIT_USER_PER_MINUTE: '1000000000' };
}
