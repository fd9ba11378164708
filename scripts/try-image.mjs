/**
 * Runs the steps of the Dockerfile in plain folders, without Docker, and tries the result: `api` and `worker` start from
 * the folder of the last stage with secrets in files, a clinician logs in, and a patient is scored and explained. It
 * prints the size, and fails above the most that the image may have. It needs the package registry, redis-server, and the
 * build of this checkout, whose embedded MongoDB stands in for a real one.
 *
 *   node scripts/try-image.mjs [--keep]     --keep leaves the folders in place
 *
 * The steps run on the Node.js at hand. Docker would run them on that of the image.
 */
/* global fetch */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/**
 * Size of node:24.21.0-bookworm-slim on the disk, MiB, rounded up: 75 for Debian, 121 for node itself, 44 for npm, yarn,
 * headers and certificates.
 */
const baseMebibytes = 240;
const mostMebibytes = 400;
const readyMs = 60_000;

const work = mkdtempSync(join(tmpdir(), 'riskgraph-image-'));
const say = (text) => console.log(`==> ${text}`);

/** The instructions of the Dockerfile: `['COPY', 'a b']`. */
function instructions() {
  return readFileSync(join(root, 'Dockerfile'), 'utf8')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => /^([A-Z]+) (.*)$/.exec(line).slice(1));
}

/** Runs all stages. @returns folder, environment and program of the last one */
function build() {
  const stages = new Map();
  let stage;
  /** The place of a path of the image. */
  const place = (of, path) => join(of.folder, path.startsWith('/') ? path : join(of.directory, path));
  const steps = {
    FROM(rest) {
      const [from, name] = rest.split(' AS ');
      const before = stages.get(from);
      stage = {
        folder: join(work, name),
        directory: '/',
        environment: {},
        ...(before && { ...before, folder: join(work, name) }),
      };
      mkdirSync(stage.folder, { recursive: true });
      if (before) execFileSync('cp', ['-a', `${before.folder}/.`, stage.folder]);
      stages.set(name, stage);
    },
    WORKDIR(path) {
      stage.directory = path;
      mkdirSync(join(stage.folder, path), { recursive: true });
    },
    COPY(rest) {
      const [, from, paths] = /^(?:--from=(\S+) )?(.*)$/.exec(rest);
      const sources = paths.split(' ');
      const target = sources.pop();
      for (const source of sources) {
        const origin = from ? place(stages.get(from), source) : join(root, source);
        const into = target.endsWith('/') ? join(target, basename(source)) : target;
        cpSync(origin, place(stage, into), { recursive: true, verbatimSymlinks: true });
      }
    },
    RUN(command) {
      say(command);
      execFileSync('sh', ['-c', command], {
        cwd: join(stage.folder, stage.directory),
        env: { PATH: process.env.PATH, HOME: process.env.HOME, ...stage.environment },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
    },
    ENV(rest) {
      stage.environment = {
        ...stage.environment,
        ...Object.fromEntries(rest.split(' ').map((pair) => pair.split('='))),
      };
    },
    ENTRYPOINT: (rest) => (stage.entrypoint = JSON.parse(rest)),
  };
  for (const [name, rest] of instructions()) if (stage || name === 'FROM') steps[name]?.(rest);
  return stage;
}

const mebibytes = (folder) => Number(execFileSync('du', ['-sm', folder]).toString().split('\t')[0]);

/** Waits until a page answers 200. */
async function answers(url) {
  for (const end = Date.now() + readyMs; ; await delay(100)) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    if (Date.now() > end) throw new Error(`${url} does not answer`);
  }
}

async function graphql(url, query, variables, token) {
  const answer = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** Runs the image's program, as the container would. */
async function tryImage({ folder, directory, environment, entrypoint }) {
  const { startEngines } = await import(join(root, 'dist/src/embedded/engines.js'));
  const engines = await startEngines({ dataDirectory: join(work, 'data') });
  const secrets = join(work, 'secrets');
  mkdirSync(secrets, { mode: 0o700 });
  const secret = (name, value) => {
    writeFileSync(join(secrets, name), `${value}\n`, { mode: 0o400 });
    return [`${name}_FILE`, join(secrets, name)];
  };
  const files = Object.fromEntries([
    secret('MONGO_URI', engines.mongoUri),
    secret('REDIS_URL', engines.redisUrl),
    secret('SECRET_KEY', randomBytes(48).toString('base64')),
    secret('ENCRYPTION_KEYS', `image-1:${randomBytes(32).toString('hex')}`),
  ]);
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  const settings = { ...environment, ...files, HOST: '127.0.0.1', PORT: String(port), METRICS_HOST: '127.0.0.1' };
  const run = (parameters, more = {}, stdio = ['ignore', 'ignore', 'inherit']) =>
    spawn(process.execPath, [...entrypoint.slice(1), ...parameters], {
      cwd: join(folder, directory),
      env: { PATH: process.env.PATH, ...settings, ...more },
      stdio,
    });
  const running = [];
  try {
    const user = run(
      ['user', 'create', '--org', 'image', '--create-org', '--username', 'ada', '--role', 'CLINICIAN'],
      {},
      ['pipe', 'inherit', 'inherit'],
    );
    user.stdin.end('seven geese over the fjord');
    if ((await once(user, 'exit'))[0] !== 0) throw new Error('the user was not made');
    const metrics = (role) => String(role === 'api' ? port + 1 : port + 2);
    for (const role of ['api', 'worker']) running.push(run([role], { METRICS_PORT: metrics(role) }));
    const url = `http://127.0.0.1:${port}`;
    await Promise.all([answers(`${url}/health/ready`), answers(`http://127.0.0.1:${metrics('worker')}/health/ready`)]);
    for (const role of ['api', 'worker'])
      execFileSync(process.execPath, ['ops/healthcheck.mjs', role], {
        cwd: join(folder, directory),
        env: { PATH: process.env.PATH, ...settings, METRICS_PORT: metrics(role) },
        stdio: ['ignore', 'inherit', 'inherit'],
      });
    say('API and worker are healthy');
    const { login } = await graphql(url, 'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }', {
      input: { organization: 'image', username: 'ada', password: 'seven geese over the fjord' },
    });
    const ask = (query, variables) => graphql(url, query, variables, login.accessToken);
    const golden = JSON.parse(readFileSync(join(root, 'risk-models/heart-disease/manifest.json'), 'utf8')).golden[0]
      .features;
    const features = Object.entries(golden).flatMap(([code, value]) => (value === null ? [] : [{ code, value }]));
    const { createPatient } = await ask(
      'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id } }',
      {
        input: { mrn: 'IMAGE-1', features },
      },
    );
    const { submitScoringJob } = await ask(
      'mutation ($input: SubmitScoringJobInput!) { submitScoringJob(input: $input) { id } }',
      { input: { patientId: createPatient.id, modelId: 'heart-disease' } },
    );
    const look = `query ($id: ID!) { scoringJob(id: $id) { state prediction { probability
      explanation { baseValue outputValue additivityError contributions { value } } } } }`;
    for (const end = Date.now() + readyMs; ; await delay(50)) {
      const { scoringJob } = await ask(look, { id: submitScoringJob.id });
      if (scoringJob.state === 'COMPLETED') {
        const { probability, explanation } = scoringJob.prediction;
        const sum = explanation.contributions.reduce((total, { value }) => total + value, explanation.baseValue);
        if (Math.abs(sum - explanation.outputValue) > 1e-9) throw new Error('the explanation does not add up');
        say(`a patient was scored: probability ${probability}, ${explanation.contributions.length} contributions`);
        break;
      }
      if (scoringJob.state === 'FAILED' || Date.now() > end) throw new Error(`the job is ${scoringJob.state}`);
    }
    const stopped = running.splice(0).map(async (child) => {
      child.kill('SIGTERM');
      const [code] = await once(child, 'exit');
      if (code !== 0) throw new Error(`a process ended with ${code}`);
    });
    await Promise.all(stopped);
    say('both stopped with 0 on SIGTERM');
  } finally {
    for (const child of running) child.kill('SIGKILL');
    await engines.stop();
  }
}

let failure;
try {
  if (!existsSync(join(root, 'dist/src/embedded/engines.js')))
    throw new Error('build this checkout first: npm run build');
  const image = build();
  const own = mebibytes(image.folder);
  const most = [
    ['node_modules', join(image.folder, image.directory, 'node_modules')],
    ['dist', join(image.folder, image.directory, 'dist')],
  ];
  say(
    `${own} MiB of its own (${most.map(([name, folder]) => `${name} ${mebibytes(folder)}`).join(', ')}), about ${own + baseMebibytes} MiB with its base`,
  );
  if (own + baseMebibytes > mostMebibytes) throw new Error(`the image may have ${mostMebibytes} MiB`);
  await tryImage(image);
} catch (error) {
  failure = error;
} finally {
  if (process.argv.includes('--keep')) say(`the stages are in ${work}`);
  else rmSync(work, { recursive: true, force: true });
}
if (failure) console.error(`error: ${failure.message}`);
console.log(failure ? '0 passed, 1 failed' : '1 passed, 0 failed');
process.exit(failure ? 1 : 0);
