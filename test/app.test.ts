import { spawn } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { shippedModelsDirectory } from '../src/app.js';
import { moduleEntry } from '../src/process/source-modules.js';
import { modelId } from './support/heart-disease.js';
import { namespace } from './support/namespace.js';
import { randomMasterKeys } from './support/protection.js';
import { startSystem, testEncryptionKeys, testSecretKey } from './support/system.js';
import { temporaryDirectory } from './support/temporary-directory.js';

// Each start fails at another step, in a process of its own. The process ends on its own only when the failed start
// left no connection and no timer.

/** Milliseconds; far longer than a process without connections and timers needs to end. */
const patienceMs = 60_000;

/** Tries to start an app. @returns its output, and whether its process ended on its own */
async function failToStart(settings: Readonly<Record<string, string>>): Promise<{ says: string; ended: boolean }> {
  const { mongoUri, redisUrl, redisPrefix } = namespace();
  const { path, execArgv, environment } = moduleEntry(new URL('./fixtures/failed-start.mjs', import.meta.url));
  const child = spawn(process.execPath, [...execArgv, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...environment,
      NODE_ENV: 'test',
      MONGO_URI: mongoUri,
      REDIS_URL: redisUrl,
      REDIS_PREFIX: redisPrefix,
      SECRET_KEY: testSecretKey,
      ENCRYPTION_KEYS: testEncryptionKeys,
      ...settings,
    },
  });
  const output: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  const ended = await new Promise<boolean>((resolve) => child.on('close', (code) => resolve(code === 0)));
  clearTimeout(timer);
  return { says: output.join('').trim(), ended };
}

test('an app that cannot connect to Redis leaves no connection', async () => {
  const redisUrl = namespace().redisUrl.replace(/^redis:/, 'rediss:');
  expect(await failToStart({ REDIS_URL: redisUrl, REDIS_TLS_CA_FILE: '/nowhere.pem' })).toEqual({
    says: expect.stringContaining('REDIS_TLS_CA_FILE'),
    ended: true,
  });
});

test('an app whose Redis refuses the login leaves no connection', async () => {
  const redisUrl = new URL(namespace().redisUrl);
  redisUrl.username = 'nobody';
  redisUrl.password = 'wrong';
  expect(await failToStart({ REDIS_URL: redisUrl.href })).toEqual({
    says: expect.stringContaining('Redis refuses the user or the password of REDIS_URL'),
    ended: true,
  });
});

test('an app that gets another master key leaves no connection', async () => {
  const { app, organizationId } = await startSystem({ worker: false });
  await app.scopeOf({ organizationId: await organizationId() }).protection.writer();
  const outcome = await failToStart({
    MONGO_URI: app.config.mongoUri!,
    ENCRYPTION_KEYS: randomMasterKeys('test').join(),
  });
  expect(outcome).toEqual({ says: expect.stringContaining('master key'), ended: true });
});

test('an app whose models disagree on a unit leaves no connection', async () => {
  const directory = await temporaryDirectory();
  for (const name of [modelId, 'other'])
    await cp(join(shippedModelsDirectory(), modelId), join(directory, name), { recursive: true });
  const manifest = join(directory, 'other', 'manifest.json');
  const { features, ...rest } = JSON.parse(await readFile(manifest, 'utf8')) as { features: { unit: string }[] };
  const [first, ...others] = features;
  await writeFile(manifest, JSON.stringify({ ...rest, id: 'other', features: [{ ...first, unit: 'mo' }, ...others] }));
  expect(await failToStart({ RISK_MODELS_DIRECTORY: directory })).toEqual({
    says: expect.stringContaining('in another model served'),
    ended: true,
  });
});
