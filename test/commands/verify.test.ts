import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createLogFile, createLogger } from '../../src/process/logger.js';
import { serveUntilEnd } from '../support/serve.js';
import { cli, runCommand } from '../support/run-command.js';
import { settingsFor, startSystem, type System } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** Waits for the first sign of life of the worker, without which verify fails. */
const working = async (started: System): Promise<System> => {
  // It remembers its answer for a moment.
  await vi.waitUntil(async () => (await fetch(`${started.url}/health`)).ok, { timeout: 30_000 });
  return started;
};
const system = await working(await startSystem());
const token = await system.token('CLINICIAN');
const verify = (environment: Record<string, string>, input: string, ...given: readonly string[]) =>
  runCommand(['verify', '--url', system.url, ...given], environment, input);

test.each<[string, Record<string, string>, string, string[]]>([
  ['from RISKGRAPH_TOKEN', { RISKGRAPH_TOKEN: token }, '', []],
  ['from standard input', {}, `${token}\n`, ['--token', '-']],
  ['as an argument, which wins', { RISKGRAPH_TOKEN: 'another' }, '', ['--token', token]],
])('verify accepts the token %s', async (_name, environment, input, given) => {
  const { code, output, errors } = await verify(environment, input, ...given);
  expect(errors).toBe('');
  expect(output).toContain('ok   access token: CLINICIAN of alpha\n');
  expect(code).toBe(0);
});

/** A proxy that passes everything on but some paths: health and metrics, as the documents ask. @returns its URL */
async function hidingProxy(hidden = /^\/(health|metrics)/, url = system.url): Promise<string> {
  const to = new URL(url);
  const server = createServer((incoming, outgoing) => {
    if (hidden.test(incoming.url!)) return void outgoing.writeHead(404).end('<html>not here</html>');
    const { method, url: path, headers } = incoming;
    const passed = request({ host: to.hostname, port: to.port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(passed);
  });
  server.on('upgrade', (incoming, socket: Socket) => {
    const lines = Object.entries(incoming.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
    const passed = connect(Number(to.port), to.hostname, () => {
      passed.write(`GET ${incoming.url} HTTP/1.1\r\n${lines.join('')}\r\n`);
      passed.pipe(socket).pipe(passed);
    });
    for (const end of [passed, socket]) end.on('error', () => undefined);
  });
  return serveUntilEnd(server);
}

test('verify works where health is not published, and checks it from inside', async () => {
  const outside = await hidingProxy();
  const environment = { RISKGRAPH_TOKEN: token };
  const alone = await runCommand(['verify', '--url', outside], environment);
  expect(alone).toMatchObject({ code: 0, errors: '' });
  expect(alone.output).toContain('ok   GET /health: not published at this address (status 404): check it from inside');
  const both = await runCommand(['verify', '--url', outside, '--health-url', system.url], environment);
  expect(both).toMatchObject({ code: 0, errors: '' });
  expect(both.output).toContain(
    'ok   GET /health inside: status 200, mongodb up, redis up, riskModels up, workers up\n',
  );
  expect(both.output).toContain('ok   /metrics is not published: status 404\n');
  const published = await runCommand(['verify', '--url', system.url, '--health-url', `${outside}/`], environment);
  expect(published.code).toBe(1);
  expect(published.output).toContain('FAIL GET /health inside: status 404, and no health check: name an address');
  expect(published.output).toContain('FAIL /metrics is not published: every caller can read it');
});

test('verify asks for all that a browser needs of the console', async () => {
  const environment = { RISKGRAPH_TOKEN: token };
  const consoleLine = async (url: string) =>
    /^.* the console: .*$/m.exec((await runCommand(['verify', '--url', url], environment)).output)?.[0];
  expect(await consoleLine(system.url)).toMatch(
    /^ok {3}the console: its page, [1-9]\d? files, its facts and its session$/,
  );
  expect(await consoleLine(await hidingProxy(/^\/(?:session|assets|health)/))).toMatch(
    /^FAIL the console: its page is there, and \/assets\/.*, \/session not: let the proxy pass them on$/,
  );
  expect(await consoleLine(await hidingProxy(/^(?!\/(?:graphql|cohorts|jobs\/))/))).toBe(
    '--   the console: not checked: it is not published at this address: docs/operations.md has the paths (nginx)',
  );
});

test('verify says of the queue page that it is off, that it is hidden, or that it asks for a login', async () => {
  const own = await startSystem({ environment: { QUEUE_PAGE_ORGANIZATION: 'alpha' } });
  const environment = { RISKGRAPH_TOKEN: await own.token('CLINICIAN') };
  const hidden = await hidingProxy(/^\/(?:queues|health|metrics)/, own.url);
  const queueLine = async (...given: readonly string[]) =>
    /^.* the queue page: .*$/m.exec((await runCommand(['verify', ...given], environment)).output)?.[0];
  expect(await queueLine('--url', own.url)).toBe('ok   the queue page: it asks for a login');
  expect(await queueLine('--url', hidden)).toBe(
    '--   the queue page: not checked: it is not published at this address: whether it is on is seen at an address of ' +
      'the API inside (--health-url)',
  );
  expect(await queueLine('--url', hidden, '--health-url', own.url)).toBe(
    'ok   the queue page: it asks for a login inside, and is not published at this address',
  );
  const off = '--   the queue page: not checked: QUEUE_PAGE_ORGANIZATION is not set there, so it is off';
  expect(await queueLine('--url', system.url)).toBe(off);
  const hiddenOff = await hidingProxy(/^\/(?:queues|health|metrics)/);
  expect(await queueLine('--url', hiddenOff, '--health-url', system.url)).toBe(off);
});

test('verify fails, and says so, when no worker is alive', async () => {
  const idle = await startSystem({ worker: false });
  const verified = await runCommand(['verify', '--url', idle.url], { RISKGRAPH_TOKEN: await idle.token('CLINICIAN') });
  expect(verified.code).toBe(1);
  expect(verified.output).toContain('FAIL GET /health: status 503: No worker is alive, so accepted jobs wait');
});

/** The settings of the deployment, as its operator has them. */
function settings({ app: { config } }: System, more: Record<string, string> = {}) {
  const { mongoUri, redisUrl, redisPrefix } = config;
  return { ...settingsFor({ mongoUri, redisUrl, redisPrefix }), RISKGRAPH_TOKEN: token, ...more };
}

/** The documents of each collection, the audit trail and the data keys too. */
async function everything({ app: { models } }: System): Promise<Record<string, number>> {
  const counted = Object.entries(models)
    .filter(([name]) => name !== 'workerHeartbeats')
    .map(async ([name, model]) => [name, await model.collection.countDocuments()] as const);
  return Object.fromEntries(await Promise.all(counted));
}

test('verify scores a synthetic patient from end to end, and leaves nothing behind', async () => {
  const own = await working(await startSystem({ environment: { QUEUE_PAGE_ORGANIZATION: 'alpha' } }));
  const ownToken = await own.token('CLINICIAN');
  await own.post('{ viewer { role } }', undefined, ownToken);
  const before = await everything(own);
  const environment = settings(own, { RISKGRAPH_TOKEN: ownToken });
  const { code, output, errors } = await runCommand(['verify', '--url', own.url], environment);
  expect(errors).toBe('');
  for (const line of [
    /^ok {3}a patient is stored: synthetic, with \d+ features of heart-disease@1\.0\.0$/m,
    /^ok {3}a worker scores it: COMPLETED, attempt 1, waited \d+ ms, ran \d+ ms$/m,
    /^ok {3}subscriptions deliver: \d+ events without a gap \(.*COMPLETED\), and the prediction was announced$/m,
    /^ok {3}the prediction has the right format: 13 inputs, model [0-9a-f]{12}$/m,
    /^ok {3}its explanation adds up: base value and 13 contributions, \d\.\de[+-]\d+ off$/m,
    /^ok {3}it is stored, and computed again it is the same: every bit agrees$/m,
    /^ok {3}the patient is erased: and its prediction with it$/m,
    /^ok {3}the trial is removed: verify-[0-9a-f]{12} and its \d+ documents$/m,
    /^-- {2} metrics are scraped: not checked: give the address of Prometheus as --prometheus-url$/m,
    /^ok {3}the queue page: it asks for a login$/m,
    /^ok {3}the console: its page, [1-9]\d? files, its facts and its session$/m,
    /^-- {2} logs are written: not checked: LOG_FILE is not set here/m,
    /^-- {2} TLS: not checked: this address is of this machine alone/m,
    /^ok {3}headers for browsers: as the API sends them$/m,
  ])
    expect(output).toMatch(line);
  expect(code).toBe(0);
  expect(await everything(own)).toEqual(before);
});

test('verify that is interrupted, or whose worker is missing, removes what it has made', async () => {
  const idle = await startSystem({ worker: false });
  const idleToken = await idle.token('CLINICIAN');
  await idle.post('{ viewer { role } }', undefined, idleToken);
  const before = await everything(idle);
  const child = spawn(process.execPath, [cli, 'verify', '--url', idle.url], {
    env: { PATH: process.env.PATH, ...settings(idle, { RISKGRAPH_TOKEN: idleToken }) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let errors = '';
  child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
  const exited = once(child, 'exit');
  // The job waits for a worker that never comes.
  await vi.waitUntil(() => idle.app.models.scoringJobs.countDocuments(), { timeout: 30_000 });
  child.kill('SIGINT');
  expect(await exited).toEqual([130, null]);
  expect(errors).toContain('Interrupted: it removes what it has made');
  expect(await everything(idle)).toEqual(before);
});

test('verify removes the organization of a trial that was killed, and no other', async () => {
  const { organizations } = system.app.models;
  const long = new Date(Date.now() - 7_200_000);
  const left = { slug: 'verify-0123456789ab', name: 'left', createdAt: long };
  const others = [
    { slug: 'verify-us-not', name: 'a hospital', createdAt: long },
    { slug: 'verify-ba9876543210', name: 'a trial that runs', createdAt: new Date() },
  ];
  await organizations.insertMany([left, ...others]);
  const { output } = await runCommand(['verify', '--url', system.url], settings(system));
  expect(output).toContain(', and before that verify-0123456789ab of killed trials\n');
  expect(await organizations.distinct('slug', { slug: /^verify-/ })).toEqual(['verify-ba9876543210', 'verify-us-not']);
});

test('verify says that settings are of another deployment, and that --read-only makes no trial', async () => {
  const wrong = await runCommand(['verify', '--url', system.url], {
    ...settings(system),
    SECRET_KEY: 'another-secret-key-0123456789-abcdef',
  });
  expect(wrong.code).toBe(1);
  expect(wrong.output).toContain(
    'FAIL a patient is stored: the API refuses a token signed with the SECRET_KEY here: use the settings of the deployment',
  );
  expect(wrong.output).toContain('--   a worker scores it: not checked: a check before it failed');
  const reading = await runCommand(['verify', '--url', system.url, '--read-only'], settings(system));
  expect(reading).toMatchObject({ code: 0 });
  expect(reading.output).toContain('--   a synthetic patient is scored: not checked: --read-only was given');
});

test('verify finds the line of its own request in LOG_FILE', async () => {
  const file = join(await temporaryDirectory(), 'api.log');
  const logger = createLogger('info', 'api', { file: createLogFile(file, 'api') });
  const logging = await startSystem({ worker: false, logger });
  const environment = { RISKGRAPH_TOKEN: await logging.token('CLINICIAN'), LOG_FILE: file };
  const found = await runCommand(['verify', '--url', logging.url], environment);
  expect(found.output).toMatch(/^ok {3}logs are written: \S+api\.log has the line of request [0-9a-f-]{36}$/m);
  const silent = await runCommand(['verify', '--url', system.url], { ...environment, RISKGRAPH_TOKEN: token });
  expect(silent.output).toMatch(
    /^FAIL logs are written: \S+ has no line of request .*: run this on the machine of the API/m,
  );
});

/** Answers like Prometheus and Alertmanager. */
async function monitoringStub(answers: Record<string, unknown>): Promise<string> {
  const server = createServer((request, response) => {
    const answer = answers[request.url!.split('?')[0]!];
    response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer ?? {}));
  });
  return serveUntilEnd(server);
}

test('verify asks Prometheus for its targets and rules, and Alertmanager for active alerts', async () => {
  const target = (health: string) => ({ labels: { job: 'riskgraph-api' }, health, scrapeUrl: 'http://a:9464/metrics' });
  const names = [...(await readFile('ops/prometheus/rules.yml', 'utf8')).matchAll(/- alert: (\w+)/g)].map(([, n]) => n);
  const answers = {
    '/api/v1/targets': { data: { activeTargets: [target('up')] } },
    '/api/v1/rules': { data: { groups: [{ rules: names.map((name) => ({ name })) }] } },
    '/api/v1/alertmanagers': { data: { activeAlertmanagers: [{ url: 'http://a' }] } },
    '/api/v2/alerts': [{ labels: { alertname: 'RiskGraphSlow', severity: 'ticket' } }],
  };
  const ask = async (changes: object) => {
    const url = await monitoringStub({ ...answers, ...changes });
    const given = ['--prometheus-url', url, '--alertmanager-url', url];
    return runCommand(['verify', '--url', system.url, ...given], { RISKGRAPH_TOKEN: token });
  };
  const good = await ask({});
  expect(good.output).toContain('ok   metrics are scraped: 1 processes\n');
  expect(good.output).toContain(`ok   alerts are loaded: ${names.length} of RiskGraph, sent to 1 Alertmanager\n`);
  expect(good.output).toContain('ok   no alert is active: but tickets: RiskGraphSlow\n');
  expect(good.code).toBe(0);
  const bad = await ask({
    '/api/v1/targets': { data: { activeTargets: [target('down')] } },
    '/api/v1/rules': { data: { groups: [] } },
    '/api/v2/alerts': [{ labels: { alertname: 'RiskGraphNoWorker', severity: 'page' } }],
  });
  expect(bad.output).toContain('FAIL metrics are scraped: http://a:9464/metrics cannot be read: check METRICS_HOST');
  expect(bad.output).toMatch(/^FAIL alerts are loaded: Prometheus lacks RiskGraphProcessDown, /m);
  expect(bad.output).toContain('FAIL no alert is active: RiskGraphNoWorker: see docs/runbook.md\n');
  expect(bad.code).toBe(1);
});

test.each<[string, string[]]>([
  ['no token at all', []],
  ['an empty standard input', ['--token', '-']],
])('verify refuses %s in one line that says how to give one', async (_name, given) => {
  const { code, output, errors } = await verify({}, '', ...given);
  expect([code, output]).toEqual([1, '']);
  expect(errors).toMatch(/^error: No access token was given: [^\n]*RISKGRAPH_TOKEN[^\n]*--token -[^\n]*\n$/);
});

test('score accepts the token in the same ways', async () => {
  const folder = await temporaryDirectory();
  const [file, out] = [join(folder, 'cohort.csv'), join(folder, 'out.csv')];
  await writeFile(file, 'mrn,age,sex,chest_pain_type\nTOKEN-1,63,1,4\n');
  const { secretKey, mongoUri, redisUrl } = system.app.config;
  const environment = { SECRET_KEY: secretKey, MONGO_URI: mongoUri, REDIS_URL: redisUrl };
  const score = (extra: Record<string, string>, input: string, ...given: readonly string[]) =>
    runCommand(['score', file, '--out', out, '--url', system.url, ...given], { ...environment, ...extra }, input);
  expect(await score({}, `${token}\n`, '--token', '-')).toMatchObject({
    code: 0,
    output: `1 patients scored, 0 failed: ${out}\n`,
  });
  expect(await score({ RISKGRAPH_TOKEN: token }, '')).toMatchObject({ code: 0 });
});

test('no organization gets a name of those that verify removes', async () => {
  const { code, errors } = await runCommand(
    ['token', '--org', 'verify-0123456789ab', '--create-org', '--role', 'ADMIN'],
    settingsFor(system.app.config),
  );
  expect(code).toBe(1);
  expect(errors).toContain('is a name for trials of "riskgraph verify", which removes them: choose another one.');
});
