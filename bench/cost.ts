/* eslint-disable no-console -- a benchmark prints */
import './jobs/as-served.js';
import { randomBytes } from 'node:crypto';
import { Role } from '../models/index.js';
import { youngGeneration } from '../src/commands/server-process.js';
import { spawnEntry } from '../src/embedded/spawn-entry.js';
import { ensureOrganization } from '../src/identity/organizations.js';
import { startWorkers } from '../workers/index.js';
import { percentile, startBenchSystem } from './jobs/setup.js';

/*
 * Measures what queries cost the API, and how long another organization waits meanwhile. The API is one process with
 * NODE_ENV=production and the heap of docker-compose.yml, over 500 patients that were scored once.
 *
 *   bench/cost.ts fields    CPU, bytes and longest stall of the event loop for each kind of field
 *   bench/cost.ts attack    five users send the dearest queries that are admitted, each without pause for 20 s.
 *                           Meanwhile a caller of another organization reads one patient at a time
 */
const mode = process.argv[2] ?? 'fields';
const rows = 500;

const system = await startBenchSystem(rows, {
  NODE_ENV: 'production',
  ENCRYPTION_KEYS: `bench:${randomBytes(32).toString('hex')}`,
});
const { app, viewer, environment } = system;
try {
  await scoreAll();
  const child = spawnEntry(new URL('./cost/server.js', import.meta.url), {
    environment,
    nodeOptions: [youngGeneration, '--max-old-space-size=768'],
  });
  const ended = new Promise<never>((_, reject) =>
    child.once('exit', (code, signal) => reject(new Error(`the API ended: ${code ?? signal}`))),
  );
  ended.catch(() => undefined);
  const message = <T>(): Promise<T> =>
    Promise.race([new Promise<T>((resolve) => child.once('message', resolve as (message: unknown) => void)), ended]);
  const { ready: url } = await message<{ ready: string }>();
  const used = (): Promise<Used> => {
    const answer = message<Used>();
    child.send({});
    return answer;
  };
  if (mode === 'fields') await measureFields(url, used);
  else await attack(url, used);
  child.kill();
} finally {
  await system.close();
}
process.exit(0);

interface Used {
  readonly cpuMs: number;
  readonly stallMs: number;
  readonly rssMib: number;
}

async function scoreAll(): Promise<void> {
  const workers = await startWorkers(app);
  let stored = 0;
  const done = new Promise<void>((resolve) => {
    app.events.subscribe('predictionsCreated', ({ count }) => {
      stored += count;
      if (stored >= rows) resolve();
    });
  });
  await app.submitBatch(viewer, { modelId: 'heart-disease', filter: {} });
  await done;
  await workers.close();
}

function tokenOf(username: string, organizationId: string): Promise<string> {
  return app.accessTokens.sign({ username, role: Role.CLINICIAN, organizationId }, 3600);
}

interface Answered {
  readonly status: number;
  readonly bytes: number;
  readonly codes: string;
}

async function post(url: string, token: string, query: string): Promise<Answered> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query }),
  });
  const text = await response.text();
  const codes = [...new Set([...text.slice(0, 5_000).matchAll(/"code":"([A-Z_]+)"/g)].map(([, code]) => code))].join(
    ' ',
  );
  return { status: response.status, bytes: Buffer.byteLength(text), codes };
}

async function measureFields(url: string, used: () => Promise<Used>): Promise<void> {
  const token = await tokenOf('fields', viewer.organizationId);
  const predictions = (fields: string): string => `{ predictions(first: ${rows}) { edges { node { ${fields} } } } }`;
  const patients = (fields: string): string => `{ patients(first: ${rows}) { edges { node { ${fields} } } } }`;
  const queries: Record<string, string> = {
    '500 predictions: id': predictions('id'),
    '... and 10 plain fields': predictions(
      'id a: id b: id c: probability d: probability e: riskBand f: riskBand createdAt rawOutput g: rawOutput h: id',
    ),
    '... and inputs': predictions('id inputs { code value unit }'),
    '... and patient': predictions('id patient { id }'),
    '... and job': predictions('id job { id }'),
    '... and model': predictions('id model { id version }'),
    '... and explanation': predictions('id explanation { baseValue }'),
    '... and contributions': predictions(
      'id explanation { baseValue contributions { feature { code label } inputValue displayValue value } }',
    ),
    '... and waterfall': predictions('id explanation { baseValue waterfall }'),
    '500 patients: id': patients('id'),
    '... and identity': patients('id mrn givenName familyName birthDate sex age'),
    '... and features': patients('id features { code value unit }'),
    '... and count of predictions': patients('id predictions(first: 1) { totalCount }'),
    '... and one prediction each': patients('id predictions(first: 1) { edges { node { id } } }'),
    'one simulation':
      '{ simulateRisk(input: { modelId: "heart-disease", features: [{ code: "chest_pain_type", ' +
      'value: 4 }] }) { probability } }',
    'the viewer': '{ viewer { username } }',
  };
  for (const [name, query] of Object.entries(queries)) {
    for (let warm = 0; warm < 6; warm += 1) await post(url, token, query);
    await used();
    const times = 8;
    let answer: Answered | undefined;
    for (let time = 0; time < times; time += 1) answer = await post(url, token, query);
    const { cpuMs, stallMs } = await used();
    console.log(
      `${name.padEnd(32)} ${(cpuMs / times).toFixed(1).padStart(7)} ms CPU ${stallMs.toFixed(0).padStart(5)} ms stall ` +
        `${(answer!.bytes / 1024).toFixed(0).padStart(6)} KiB  ${answer!.status} ${answer!.codes}`,
    );
  }
}

async function attack(url: string, used: () => Promise<Used>): Promise<void> {
  const other = await ensureOrganization(app.models, 'other');
  const otherToken = await tokenOf('other', other._id.toHexString());
  const created = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${otherToken}` },
    body: JSON.stringify({
      query:
        'mutation { createPatient(input: { mrn: "o-1", familyName: "O", birthDate: "1960-01-01", sex: MALE }) { id } }',
    }),
  });
  const { data } = (await created.json()) as { data: { createPatient: { id: string } } };
  const read = `{ patient(id: "${data.createPatient.id}") { id mrn givenName familyName } }`;
  const measure = async (until: () => boolean): Promise<string> => {
    const latencies: number[] = [];
    let refused = 0;
    while (!until()) {
      const start = performance.now();
      const { status } = await post(url, otherToken, read);
      latencies.push(performance.now() - start);
      if (status !== 200) refused += 1;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    latencies.sort((a, b) => a - b);
    const at = (percent: number): string => percentile(latencies, percent).toFixed(0);
    return `${latencies.length} reads, ${refused} refused, p50 ${at(50)} p99 ${at(99)} max ${latencies.at(-1)!.toFixed(0)} ms`;
  };
  const within = (seconds: number): (() => boolean) => {
    const end = performance.now() + seconds * 1_000;
    return () => performance.now() > end;
  };
  await measure(within(3));
  console.log(`another organization, without the attack: ${await measure(within(5))}`);
  const page = (number: number): string =>
    `a${number}: predictions(first: 500) { edges { node { explanation { waterfall } } } }`;
  const aliases = (count: number): string =>
    `{ ${Array.from({ length: count }, (_, index) => page(index)).join(' ')} }`;
  await used();
  for (const count of [9, 1]) {
    const end = within(20);
    const outcomes = new Map<string, number>();
    let bytes = 0;
    const attackers = Promise.all(
      Array.from({ length: 5 }, async (_, index) => {
        const token = await tokenOf(`attacker-${index}`, viewer.organizationId);
        while (!end()) {
          const answer = await post(url, token, aliases(count)).catch((error: Error) => ({
            status: 0,
            bytes: 0,
            codes: String(error.cause ?? error),
          }));
          const outcome = `${answer.status} ${answer.codes}`;
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
          bytes += answer.bytes;
          if (answer.status !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }),
    );
    const seen = await measure(end);
    await attackers;
    const { cpuMs, stallMs, rssMib } = await used();
    console.log(`five users, ${count} aliases of predictions(first: 500) { ... waterfall } each, without pause:`);
    console.log(`  outcomes ${JSON.stringify([...outcomes])}, ${(bytes / 2 ** 20).toFixed(0)} MiB in all`);
    console.log(`  longest stall ${stallMs.toFixed(0)} ms, CPU ${cpuMs.toFixed(0)} ms, RSS ${rssMib.toFixed(0)} MiB`);
    console.log(`  another organization: ${seen}`);
  }
}
