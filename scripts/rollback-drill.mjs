#!/usr/bin/env node
/**
 * The rollback drill: deploys release B over release A, rolls back to A, and looks whether the data of both can be read.
 *
 *     node scripts/rollback-drill.mjs OLD [NEW]       two commits; NEW is HEAD unless it is named
 *
 * 1. Each release is checked out (git worktree) and built in a temporary folder, which is removed at the end.
 * 2. OLD starts on an empty data directory (`riskgraph up`), makes patients, scores them, and stops. The data are copied.
 * 3. NEW starts on the data, must read all that OLD made, makes its own, and stops.
 * 4. OLD starts again. It must read all that both made, unchanged. If it refuses the data, the copy is restored, and all
 *    that it made itself must be there.
 *
 * It exits with 1 when something cannot be read or has changed.
 */
/* global fetch */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const [oldCommit, newCommit = 'HEAD'] = process.argv.slice(2);
if (!oldCommit) {
  console.error('usage: node scripts/rollback-drill.mjs OLD [NEW]');
  process.exit(2);
}

/** Patients of each release. */
const count = 40;
const startPatienceMs = 120_000;
/** What all releases know of an object, and what must not change. */
const fields = {
  patients: 'id mrn familyName givenName birthDate sex version createdAt features { code value unit recordedAt }',
  predictions:
    'id createdAt probability rawOutput riskBand modelSha256 inputs { code value } patient { id } job { id } ' +
    'explanation { method outputSpace baseValue outputValue contributions { feature { code } value inputValue } }',
  scoringJobs: 'id kind state submittedAt submittedBy finishedAt sequence progress { processed failed total }',
};
const kinds = Object.keys(fields);

const folder = await mkdtemp(join(tmpdir(), 'riskgraph-rollback-'));
const dataDirectory = join(folder, 'data');
const copy = join(folder, 'copy');
const worktrees = [];
const running = new Set();
const startedAt = Date.now();
const say = (text) => console.log(`${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${text}`);
const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim();

/** Checks a commit out and builds it. */
async function build(name, commit) {
  const path = join(folder, name);
  git('worktree', 'add', '--detach', '--quiet', path, commit);
  worktrees.push(path);
  const run = (program, ...args) => execFileSync(program, args, { cwd: path, stdio: ['ignore', 'ignore', 'inherit'] });
  // The packages of this folder serve a release with the same lock file.
  const locks = [join(path, 'package-lock.json'), 'package-lock.json'].map((file) => readFileSync(file, 'utf8'));
  if (locks[0] === locks[1] && existsSync('node_modules'))
    symlinkSync(resolve('node_modules'), join(path, 'node_modules'));
  else run('npm', 'ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error');
  run('npm', 'run', '--silent', 'build');
  const described = git('log', '-1', '--format=%h of %ad (%s)', '--date=format:%Y-%m-%d %H:%M', commit);
  say(`${name} is ${described}: built`);
  return { name, path };
}

const port = await freePort();

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: free } = server.address();
  server.close();
  return free;
}

const environment = (release) => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  TMPDIR: process.env.TMPDIR ?? tmpdir(),
  NODE_ENV: 'development',
  DATA_DIRECTORY: dataDirectory,
  PORT: String(port),
  HOST: '127.0.0.1',
  // Releases have their own shipped models.
  RISK_MODELS_DIRECTORY: join(release.path, 'risk-models'),
});

/** Starts a release on the data. @returns a running system, or the line with which it refused */
async function start(release) {
  const began = Date.now();
  const child = spawn(process.execPath, ['dist/src/cli.js', 'up'], { cwd: release.path, env: environment(release) });
  running.add(child);
  let errors = '';
  child.stderr.on('data', (text) => (errors += text));
  const exited = once(child, 'exit').finally(() => running.delete(child));
  const url = await Promise.race([
    new Promise((resolve) =>
      child.stdout.on('data', (text) => {
        const found = /is up: (\S+)\/graphql/.exec(text);
        if (found) resolve(found[1]);
      }),
    ),
    exited.then(() => undefined),
    delay(startPatienceMs).then(() => undefined),
  ]);
  if (!url) {
    child.kill('SIGKILL');
    return { refusal: errors.trim().split('\n').at(-1) || 'it said nothing' };
  }
  say(`${release.name} is up after ${((Date.now() - began) / 1000).toFixed(1)} s`);
  return {
    url,
    async stop() {
      child.kill('SIGTERM');
      await exited;
      say(`${release.name} has stopped`);
    },
  };
}

const command = (release, ...args) =>
  execFileSync(process.execPath, ['dist/src/cli.js', ...args], {
    cwd: release.path,
    env: environment(release),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });

function caller(release, { url }) {
  const token = command(release, 'token', '--role', 'CLINICIAN').trim().split('\n').at(-1);
  return async (query, variables) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = await response.json();
    if (errors) throw new Error(`${release.name}: ${errors.map(({ message }) => message).join('; ')}`);
    return data;
  };
}

/** Reads everything: by kind, the JSON of each object by its id. */
async function readAll(call) {
  const found = {};
  for (const kind of kinds) {
    found[kind] = new Map();
    for (let after = null; ;) {
      const query = `query ($after: String) { ${kind}(first: 50, after: $after) {
        pageInfo { hasNextPage endCursor } edges { node { ${fields[kind]} } } } }`;
      const { edges, pageInfo } = (await call(query, { after }))[kind];
      for (const { node } of edges) found[kind].set(node.id, JSON.stringify(node));
      if (!pageInfo.hasNextPage) break;
      after = pageInfo.endCursor;
    }
  }
  return found;
}

/** Makes patients, scores each of the first five on its own, and all in a batch. */
async function work(release, system, seed) {
  command(release, 'seed', '--patients', String(count), '--seed', String(seed));
  const call = caller(release, system);
  const [{ id: modelId }] = (await call('{ riskModels { id } }')).riskModels;
  const { edges } = (await call('{ patients(first: 5) { edges { node { id } } } }')).patients;
  const jobs = [];
  for (const { node } of edges) {
    const mutation = 'mutation ($input: SubmitScoringJobInput!) { submitScoringJob(input: $input) { id } }';
    jobs.push((await call(mutation, { input: { patientId: node.id, modelId } })).submitScoringJob.id);
  }
  const batch = 'mutation ($input: SubmitBatchScoringJobInput!) { submitBatchScoringJob(input: $input) { id } }';
  jobs.push((await call(batch, { input: { modelId, all: true } })).submitBatchScoringJob.id);
  for (const id of jobs) {
    for (;;) {
      const { state } = (await call('query ($id: ID!) { scoringJob(id: $id) { state } }', { id })).scoringJob;
      if (state === 'COMPLETED') break;
      if (state === 'FAILED' || state === 'CANCELLED') throw new Error(`${release.name}: job ${id} is ${state}`);
      await delay(100);
    }
  }
  return readAll(call);
}

let failures = 0;
const numberOf = (objects) => kinds.map((kind) => `${objects[kind].size} ${kind}`).join(', ');

/** Compares what is read now with what was read before. */
function compare(what, before, now) {
  const failuresBefore = failures;
  for (const kind of kinds) {
    const missing = [...before[kind].keys()].filter((id) => !now[kind].has(id));
    const changed = [...before[kind]].filter(([id, text]) => now[kind].has(id) && now[kind].get(id) !== text);
    if (missing.length + changed.length === 0) continue;
    failures += 1;
    say(`FAIL ${what}: of ${before[kind].size} ${kind}, ${missing.length} are missing and ${changed.length} changed`);
    if (changed[0]) console.log(`        before: ${changed[0][1]}\n        now:    ${now[kind].get(changed[0][0])}`);
  }
  if (failures === failuresBefore) say(`ok   ${what}: ${numberOf(before)}`);
}

/** The objects of `all` that `known` does not have. */
const without = (all, known) =>
  Object.fromEntries(kinds.map((kind) => [kind, new Map([...all[kind]].filter(([id]) => !known[kind].has(id)))]));

async function drill() {
  // A name such as HEAD may mean another commit when the builds are over.
  const [oldHash, newHash] = [oldCommit, newCommit].map((name) => git('rev-parse', '--verify', `${name}^{commit}`));
  const older = await build('OLD', oldHash);
  const newer = await build('NEW', newHash);

  let system = await start(older);
  if (system.refusal) throw new Error(`OLD does not start: ${system.refusal}`);
  const ofOld = await work(older, system, 1);
  say(`OLD made ${numberOf(ofOld)}`);
  await system.stop();
  await cp(dataDirectory, copy, { recursive: true });

  system = await start(newer);
  if (system.refusal) throw new Error(`NEW does not start on the data of OLD: ${system.refusal}`);
  compare('NEW reads the data of OLD', ofOld, await readAll(caller(newer, system)));
  const all = await work(newer, system, 2);
  const ofNew = without(all, ofOld);
  say(`NEW made ${numberOf(ofNew)}`);
  await system.stop();

  system = await start(older);
  if (system.refusal) {
    say(`OLD refuses the data: ${system.refusal}`);
    await rm(dataDirectory, { recursive: true });
    await cp(copy, dataDirectory, { recursive: true });
    say('the copy from before NEW is restored');
    system = await start(older);
    if (system.refusal) throw new Error(`OLD does not start on its own copy: ${system.refusal}`);
    compare('OLD reads the data of OLD', ofOld, await readAll(caller(older, system)));
  } else {
    const now = await readAll(caller(older, system));
    compare('OLD reads the data of OLD', ofOld, now);
    compare('OLD reads the data of NEW', ofNew, now);
  }
  await system.stop();
}

try {
  await drill();
} catch (error) {
  failures += 1;
  say(`FAIL ${error.message}`);
} finally {
  for (const child of running) child.kill('SIGTERM');
  await Promise.all([...running].map((child) => once(child, 'exit')));
  for (const path of worktrees) git('worktree', 'remove', '--force', path);
  await rm(folder, { recursive: true, force: true });
}
say(failures === 0 ? 'the rollback works' : 'the rollback does not work');
process.exitCode = failures === 0 ? 0 : 1;
