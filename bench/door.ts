/* eslint-disable no-console -- a benchmark prints */
import { randomBytes } from 'node:crypto';
import { Types } from 'mongoose';
import { Role } from '../models/index.js';
import { copyLookups, copyPatientsInClear, giveCareTeams, revokeSessions } from './door/data.js';
import { startDoorServer, startLoad, type DoorServer } from './door/processes.js';
import { protectionNames, type ProtectionName } from './door/without.js';
import { median, patientIds, startBenchSystem, type BenchSystem } from './jobs/setup.js';

/*
 * Measures the cost of the API's protections: authorised queries of one patient per second, with all protections on and
 * with all off. Both servers take turns in one run. Each server, and the load, has its own process.
 *
 *   bench/door.ts [rounds] [seconds] [connections]      everything on against everything off; connections may be
 *   several
 *                                                       numbers with commas, default 32,64,128
 *   bench/door.ts each [rounds] [seconds] [connections] everything on against each protection taken away alone (but the
 *                                                       limits of sockets, which no HTTP request meets); default 32
 *
 * "Everything on" is the API as an operator runs it: NODE_ENV=production, started by the same function as `riskgraph
 * api`. Only the limit of requests per minute is so high that the load does not reach it (requests are still counted).
 * Half of the patients have a care team that includes the caller. The caller's token belongs to a session. 1,000 other
 * sessions are revoked.
 *
 * "Everything off" leaves out these (bench/door/without.ts):
 * - audit: reads are not recorded
 * - encryption: the same patients, with the same ids, are stored in plain text in a separate database
 * - identity: the Authorization header is not read; every request comes from the same clinician
 * - permission-rules: no graphql-shield around the fields. The services' own check, a lookup in a table, stays
 * - care-team: the care team of a patient is not checked
 * - query-limits, rate-limits, headers (helmet), socket-limits
 * Some protections stay, because they are no separate layer or cost nothing: the organization in every filter, CSRF
 * prevention, the check of the Host header, masked errors, the request id, metrics, the cache of valid documents.
 * WebSockets (with their check of Origin) and TLS are not measured.
 */
const each = process.argv[2] === 'each';
const [roundsText = each ? '3' : '7', secondsText = each ? '1.5' : '5', connectionsText = each ? '32' : '32,64,128'] =
  process.argv.slice(each ? 3 : 2);
const [rounds, seconds, connectionNumbers] = [
  Number(roundsText),
  Number(secondsText),
  connectionsText.split(',').map(Number),
];
/** Number of first requests, which the interpreter runs. Both servers of a comparison get the same number of them. */
const warmUpRequests = 10_000;
const patients = 500;

/** The database with every field in plain text, for the server that does not encrypt. */
const clearDatabase = 'clear';

const query =
  'query Patient($id: ID!) { patient(id: $id) { id mrn givenName familyName birthDate sex features { code value ' +
  'unit } } }';

const system = await startBenchSystem(patients, {
  NODE_ENV: 'production',
  ENCRYPTION_KEYS: `bench:${randomBytes(32).toString('hex')}`,
});
try {
  const caller = {
    username: 'bench',
    role: Role.CLINICIAN,
    organizationId: system.viewer.organizationId,
    sessionId: new Types.ObjectId().toHexString(),
  };
  await giveCareTeams(system.app.models, patients, caller.username);
  await revokeSessions(system.app, caller.organizationId, 1_000);
  await copyLookups(system.app, clearUri(system.environment.MONGO_URI!));
  const token = await system.app.accessTokens.sign(caller, 3600);
  const bodies = (await patientIds(system.app.models, patients)).map((id) =>
    JSON.stringify({ query, variables: { id } }),
  );
  const load = await startLoad();
  const start = async (off: readonly ProtectionName[]): Promise<DoorServer> => {
    const server = await startDoorServer(environmentOf(system, off), off, {
      ...caller,
      expiresAt: Number.MAX_SAFE_INTEGER,
    });
    if (off.includes('encryption'))
      await copyPatientsInClear(system.app, caller.organizationId, clearUri(system.environment.MONGO_URI!));
    return server;
  };
  const measure = async (server: DoorServer, connections: number, duration = seconds): Promise<Measured> => {
    const before = await server.cpuMicroseconds();
    const answered = await load({ url: server.url, token, bodies, connections, seconds: duration });
    return { answered, rate: answered / duration, cpu: ((await server.cpuMicroseconds()) - before) / answered };
  };
  const warmUp = async (server: DoorServer): Promise<void> => {
    for (let answered = 0; answered < warmUpRequests;)
      answered += (await measure(server, connectionNumbers[0]!, 1)).answered;
  };

  for (const off of each
    ? protectionNames.filter((name) => name !== 'socket-limits').map((name) => [name])
    : [protectionNames]) {
    const name = each ? `without ${off[0]}` : 'everything off';
    // Both start again each time: the longer a server has run, the less a request costs.
    const [everything, other] = [await start([]), await start(off)];
    await warmUp(everything);
    await warmUp(other);
    for (const connections of connectionNumbers) {
      const seen: { on: Measured; off: Measured }[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        // The second server may find a warmer or a busier machine, so the servers take turns.
        const [first, second] = round % 2 === 1 ? [other, everything] : [everything, other];
        const measured = new Map([
          [first, await measure(first, connections)],
          [second, await measure(second, connections)],
        ]);
        const both = { on: measured.get(everything)!, off: measured.get(other)! };
        seen.push(both);
        if (!each)
          console.log(
            `${connections} connections, round ${round}: everything on ${shown(both.on)}, ${name} ` +
              `${shown(both.off)}, ratio ${(both.on.rate / both.off.rate).toFixed(3)}`,
          );
      }
      const byRate = median(seen.map(({ on, off: without }) => on.rate / without.rate));
      const byCpu = median(seen.map(({ on, off: without }) => without.cpu / on.cpu));
      const saved = median(seen.map(({ on, off: without }) => on.cpu - without.cpu));
      console.log(
        `everything on / ${name}: median ratio ${byRate.toFixed(3)} by rate, ${byCpu.toFixed(3)} by the servers' CPU ` +
          `time (${saved.toFixed(0)} us per request), over ${rounds} rounds of ${seconds} s, ${connections} connections`,
      );
    }
    everything.stop();
    other.stop();
  }
} finally {
  await system.close();
}
process.exit(0);

interface Measured {
  readonly answered: number;
  /** Requests per second. */
  readonly rate: number;
  /** Microseconds of the server's CPU time per request. */
  readonly cpu: number;
}

function shown({ rate, cpu }: Measured): string {
  return `${rate.toFixed(0)} requests/s (${cpu.toFixed(0)} us of CPU each)`;
}

/** Returns the environment of production, with a limit of requests that the load does not reach. */
function environmentOf({ environment }: BenchSystem, off: readonly ProtectionName[]): Record<string, string> {
  const production = { ...environment, RATE_LIMIT_USER_PER_MINUTE: '1000000000' };
  return off.includes('encryption') ? { ...production, MONGO_URI: clearUri(environment.MONGO_URI!) } : production;
}

function clearUri(mongoUri: string): string {
  const uri = new URL(mongoUri);
  uri.pathname = `/${clearDatabase}`;
  return uri.href;
}
