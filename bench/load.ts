/* eslint-disable no-console -- a benchmark prints */
import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { PatientsDocument, TypedDocumentString } from '../src/client/generated/graphql.js';
import type { GraphqlClient } from '../src/client/graphql-client.js';
import { apiClient } from '../src/commands/api-client.js';
import { startServerProcess } from '../src/commands/server-process.js';
import { Role } from '../models/index.js';
import { residentBytes } from './jobs/deployment.js';
import { inParallel, patientIds, percentile, startBenchSystem } from './jobs/setup.js';
import { createCalls, scoreBatch, type Caller } from './load/calls.js';
import {
  batchPeriodSeconds,
  callsPerSecond,
  careTeamOf,
  clinicianName,
  clinicians,
  inpatients,
  mostErrors,
  screenName,
  screens,
  serviceLevels,
  wards,
  type CallKind,
  type Measured,
} from './load/mix.js';

// Serves the mix of a hospital of 1,000 beds (load/mix.ts says why it is as it is) with API and worker in processes of
// their own, started as in production, over the embedded databases of the same machine. Calls come at random times at the
// rates of the mix, however late the answers are, and each is measured from the time at which it was due. It prints a table
// against the service levels, and exits with 1 when one is missed.
// Arguments: seconds (600), factor of all rates (1), API processes (1), worker processes (1), and `without-care-teams` for
// a hospital in which each screen gets all predictions. It needs the build.
const [seconds, factor, apis, workers] = [600, 1, 1, 1].map((fallback, place) =>
  Number(process.argv[place + 2] ?? fallback),
) as [number, number, number, number];
const hasCareTeams = process.argv[6] !== 'without-care-teams';
const userCount = 20;
/** What a screen shows of a new prediction: it opens the explanation only when a person asks. */
const newPredictions = new TypedDocumentString<
  { readonly predictionCreated: { readonly createdAt: string } },
  Record<string, never>
>('subscription NewPredictions { predictionCreated { id createdAt riskBand probability patient { id } } }');
/** Longest time for calls that are under way at the end, milliseconds. */
const tailMs = 60_000;

const system = await startBenchSystem(inpatients, {
  NODE_ENV: 'production',
  ENCRYPTION_KEYS: `bench:${randomBytes(32).toString('hex')}`,
  LOG_LEVEL: 'error',
});
const measured = new Map<Measured, number[]>();
const keep = (what: Measured, milliseconds: number): void => {
  const values = measured.get(what);
  if (values) values.push(milliseconds);
  else measured.set(what, [milliseconds]);
};
const errors = new Map<string, number>();
const count = (error: unknown): void => {
  const text = error instanceof Error ? error.message : String(error);
  errors.set(text, (errors.get(text) ?? 0) + 1);
};
let failed = false;
try {
  const processes = await Promise.all([
    ...Array.from({ length: apis }, () => startServerProcess('api', system.environment)),
    ...Array.from({ length: workers }, () => startServerProcess('worker', system.environment)),
  ]);
  const urls = processes.slice(0, apis).map(({ url }) => url);
  const sign = (role: Role, username: string): Promise<string> =>
    system.app.accessTokens.sign({ username, role, organizationId: system.viewer.organizationId }, seconds + 3_600);
  if (hasCareTeams) await giveCareTeams();
  const clients: GraphqlClient[] = [];
  const client = (url: string, signed?: string): GraphqlClient => {
    const made = apiClient(url, signed);
    clients.push(made);
    return made;
  };
  const users = await createUsers(urls[0]!, await sign(Role.ADMIN, 'administrator'));
  // Each caller is a user of its own, as the clinicians on duty are.
  const callers = await Promise.all(
    Array.from({ length: clinicians }, async (_, index): Promise<Caller> => {
      const url = urls[index % apis]!;
      const signed = await sign(Role.CLINICIAN, clinicianName(index));
      const own = client(url, signed);
      return { url, token: signed, client: own, anonymous: client(url), patients: await everyPatient(own), users };
    }),
  );

  // The batches are those of a system, which sees all patients.
  const batchClient = client(urls[0]!, await sign(Role.SERVICE, 'records'));
  const everyone = await patientIds(system.app.models, inpatients);

  const closing = new AbortController();
  setMaxListeners(screens, closing.signal);
  // Each screen has a user of its own, as the wards have: the limits are per user.
  const watching = await Promise.all(
    Array.from({ length: screens }, async (_, index) => ({
      ended: watchScreen(apiClient(urls[index % apis]!, await sign(Role.CLINICIAN, screenName(index))), closing.signal),
    })),
  );
  const calls = callers.map((caller) => createCalls(caller, keep));
  let turn = 0;
  let made = 0;
  const running = new Set<Promise<void>>();
  const call = (kind: CallKind | 'batch', due: number): void => {
    made += 1;
    const begun = kind === 'batch' ? scoreAll(batchClient, everyone, due) : calls[turn++ % clinicians]![kind](due);
    const one = begun.catch(count).finally(() => running.delete(one));
    running.add(one);
  };
  // The first results, so that charts and worklists have something to show.
  call('batch', performance.now());
  await Promise.all(running);
  measured.clear();
  made = 0;

  console.log(`${seconds} s of the mix at ${factor} x, ${apis} API and ${workers} worker processes`);
  const begun = performance.now();
  await Promise.all([
    ...(Object.keys(callsPerSecond) as CallKind[]).map((kind) =>
      arrivals(begun, factor * callsPerSecond[kind], (due) => call(kind, due)),
    ),
    batches(begun, (due) => call('batch', due)),
  ]);
  await Promise.race([Promise.all(running), delay(tailMs)]);
  for (let left = running.size; left > 0; left -= 1) count(`not answered ${tailMs / 1_000} s after the end`);
  report(made);
  const memory = processes.map(({ pid }) => `${(residentBytes(pid) / 2 ** 20).toFixed(0)} MiB`);
  console.log(`\nMemory of the processes at the end: ${memory.join(', ')}`);
  closing.abort();
  // A socket that does not end is no reason to wait: the processes end.
  await Promise.race([
    Promise.all([...watching.map(({ ended }) => ended), ...clients.map((client) => client.close())]),
    delay(5_000),
  ]);
  await Promise.all(processes.map((each) => each.stop()));
} finally {
  await system.close();
}
process.exit(failed ? 1 : 0);

/** Calls `begin` at random times, `rate` per second in the mean (a Poisson process), until the run is over. */
async function arrivals(start: number, rate: number, begin: (due: number) => void): Promise<void> {
  const end = start + 1_000 * seconds;
  for (let due = start; ;) {
    due -= (1_000 / rate) * Math.log(1 - Math.random());
    if (due >= end) return;
    await delay(Math.max(0, due - performance.now()));
    begin(due);
  }
}

/** Begins a batch after a tenth of the run, and then one per period. */
async function batches(start: number, begin: (due: number) => void): Promise<void> {
  for (let due = start + 100 * seconds; due < start + 1_000 * seconds; due += 1_000 * batchPeriodSeconds) {
    await delay(Math.max(0, due - performance.now()));
    begin(due);
  }
}

/** Follows new predictions as a screen of a ward does, and measures the age of each event. */
async function watchScreen(client: GraphqlClient, closing: AbortSignal): Promise<void> {
  closing.addEventListener('abort', () => void client.close(), { once: true });
  try {
    for await (const { predictionCreated } of client.subscribe(newPredictions, {}))
      if (measured.size > 0) keep('screen', Date.now() - Date.parse(predictionCreated.createdAt));
  } catch (error) {
    if (!closing.aborted) count(error);
  }
}

/** Gives each patient to a ward. */
async function giveCareTeams(): Promise<void> {
  const ids = await patientIds(system.app.models, inpatients);
  await system.app.models.patients.bulkWrite(
    ids.map((_id, index) => ({
      updateOne: { filter: { _id }, update: { $set: { careTeam: [...careTeamOf(index % wards)] } } },
    })),
  );
}

/** Scores all patients in one batch. */
async function scoreAll(client: GraphqlClient, ids: readonly string[], due: number): Promise<void> {
  await scoreBatch(client, ids);
  keep('batch', performance.now() - due);
}

async function everyPatient(client: GraphqlClient): Promise<Caller['patients']> {
  const found: { id: string; mrn: string }[] = [];
  for (let after: string | undefined; ;) {
    const { patients } = await client.request(PatientsDocument, { first: 100, after });
    found.push(...patients.edges.map(({ node: { id, mrn } }) => ({ id, mrn: mrn! })));
    if (!patients.pageInfo.hasNextPage) return found;
    after = patients.pageInfo.endCursor!;
  }
}

async function createUsers(url: string, token: string): Promise<Caller['users']> {
  const users = Array.from({ length: userCount }, (_, index) => ({
    username: `nurse-${index}`,
    password: randomBytes(16).toString('hex'),
  }));
  await inParallel(userCount, 2, async (index) => {
    const answer = await fetch(new URL('/graphql', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({
        query: 'mutation ($input: CreateUserInput!) { createUser(input: $input) { username } }',
        variables: { input: { ...users[index]!, role: 'CLINICIAN' } },
      }),
    });
    const text = await answer.text();
    if (!answer.ok || text.includes('"errors"')) throw new Error(text.slice(0, 300));
  });
  return users;
}

/** Prints the table, and notes whether a level was missed. */
function report(made: number): void {
  console.log('\n| service level | promised | measured | p50 | number |\n|---|---|---|---|---|');
  for (const [what, { name, percentile: part, milliseconds }] of Object.entries(serviceLevels)) {
    const sorted = [...(measured.get(what as Measured) ?? [])].sort((a, b) => a - b);
    const at = sorted.length === 0 ? Infinity : percentile(sorted, part);
    const kept = at <= milliseconds;
    failed ||= !kept;
    const promise = part === 100 ? `all within ${milliseconds} ms` : `${part} % within ${milliseconds} ms`;
    const middle = sorted.length === 0 ? '' : `${percentile(sorted, 50).toFixed(0)} ms`;
    const seen = sorted.length === 0 ? 'none' : `${at.toFixed(0)} ms`;
    console.log(`| ${name} | ${promise} | ${seen}${kept ? '' : ' MISSED'} | ${middle} | ${sorted.length} |`);
  }
  const wrong = [...errors.values()].reduce((sum, each) => sum + each, 0);
  failed ||= wrong > mostErrors * made;
  console.log(`\n${wrong} of ${made} calls failed; at most ${(100 * mostErrors).toFixed(1)} % may`);
  for (const [text, times] of errors) console.log(`  ${times} x ${text}`);
}
