import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { apiClient } from '../../src/commands/api-client.js';
import type { GraphqlClient } from '../../src/client/graphql-client.js';
import {
  PredictionDocument,
  RiskModelsDocument,
  SubmitScoringJobDocument,
} from '../../src/client/generated/graphql.js';
import { startServerProcess } from '../../src/commands/server-process.js';
import { createBundleStore } from '../../src/model-store/bundle-store.js';
import { bundleHash, readBundle } from '../../src/risk/bundle/bundle-files.js';
import { writeBundle } from '../risk/support/bundle.js';
import { proxyTo } from '../support/cuttable-proxy.js';
import { heartDisease } from '../support/heart-disease.js';
import { sameDatabases } from '../support/identity.js';
import { cli, runCommand, type Outcome } from '../support/run-command.js';
import { ended, patient, submit } from '../support/scenario.js';
import { settingsFor, startSystem } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const system = await startSystem({ worker: false });
const { config, models } = system.app;
await system.organizationId('alpha');
await system.organizationId('beta');
const store = createBundleStore(models);
/** Only a message tells processes of a change: none looks at the database on its own within a test. */
const environment = {
  ...settingsFor(config),
  RISK_MODELS_POLL_SECONDS: '3600',
};
const shipped = `${heartDisease.id}@${heartDisease.version}`;

/** Runs `riskgraph model` as an operator does. */
const model = (
  args: readonly string[],
  settings: Readonly<Record<string, string | undefined>> = {},
): Promise<Outcome> => runCommand(['model', ...args], { ...environment, ...settings });

/** Writes a bundle of a small model. Each test has a model id of its own. */
async function bundle(id: string, version = '1.0.0', card = `# ${id} ${version}\n`): Promise<string> {
  const directory = join(await temporaryDirectory(), 'bundle');
  return writeBundle(directory, { manifest: { id, version }, card });
}

/** Adds the bundle as another process would have before: no command is tried, and none is told of it. */
async function stored(directory: string, id: string): Promise<void> {
  await store.add(id, '1.0.0', await readBundle(directory));
}

async function startApi(): Promise<GraphqlClient> {
  const api = await startServerProcess('api', environment);
  const client = apiClient(api.url, await system.token('CLINICIAN'));
  onTestFinished(async () => {
    await client.close();
    await api.stop();
  });
  return client;
}

const servedBy = async (client: GraphqlClient): Promise<string[]> =>
  (await client.request(RiskModelsDocument)).riskModels.map(
    ({ id, isDefault }) => `${id}${isDefault ? ' default' : ''}`,
  );

/** Asks until the answer is the one that is waited for. @returns that answer */
async function until<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
  let answer: T;
  const isWanted = async (): Promise<boolean> => wanted((answer = await ask()));
  await expect.poll(isWanted, { interval: 10, timeout: 80_000 }).toBe(true);
  return answer!;
}

describe('a version that is added while two APIs and a worker run', () => {
  // Shows: 164.312(b)
  test('is served by all of them, and can still be explained and verified after it was retired', async () => {
    const [first, second, worker] = await Promise.all([
      startApi(),
      startApi(),
      startServerProcess('worker', environment),
    ]);
    onTestFinished(() => worker.stop());
    expect(await servedBy(first)).toEqual([`${shipped} default`]);

    expect(await model(['add', await bundle('running')])).toMatchObject({
      code: 0,
      output: expect.stringMatching(/running@1.0.0 was added.*\nThe default version of running is 1.0.0\n/) as string,
    });
    for (const client of [first, second])
      await until(
        () => servedBy(client),
        (names) => names.includes('running@1.0.0 default'),
      );
    const { id: patientId } = await patient(first, { features: [{ code: 'age', value: 60 }] });
    const single = await submit(first, { patientId, modelId: 'running', explain: false });
    const batch = await submit(second, { patientIds: [patientId], modelId: 'running@1.0.0' });
    expect(await ended(second, single.id)).toMatchObject({ state: 'COMPLETED', modelId: 'running' });
    expect((await ended(first, batch.id)).state).toBe('COMPLETED');

    await model(['add', await bundle('running', '2.0.0')]);
    await until(
      () => servedBy(second),
      (names) => names.includes('running@2.0.0 default') && names.includes('running@1.0.0'),
    );
    expect((await model(['default', 'running@1.0.0'])).output).toBe('The default version of running is 1.0.0\n');
    await until(
      () => servedBy(first),
      (names) => names.includes('running@1.0.0 default') && names.includes('running@2.0.0'),
    );
    expect((await model(['retire', 'running@1.0.0'])).output).toBe(
      'running@1.0.0 is retired\nThe default version of running is 2.0.0\n',
    );
    for (const client of [first, second])
      expect(
        await until(
          () => servedBy(client),
          (names) => !names.includes('running@1.0.0 default'),
        ),
      ).toEqual([`${shipped} default`, 'running@2.0.0 default']);

    const refusal = first.request(SubmitScoringJobDocument, {
      input: { patientId, modelId: 'running', modelVersion: '1.0.0' },
    });
    await expect(refusal).rejects.toThrow('running@1.0.0 is retired: use a version that riskModels lists');
    const id = (await ended(second, single.id)).prediction!.id;
    const { prediction } = await second.request(PredictionDocument, { id });
    expect(prediction).toMatchObject({
      model: { id: 'running@1.0.0', retiredAt: expect.any(String) as string },
      explanation: { outputValue: prediction!.rawOutput },
      inputs: expect.arrayContaining([{ code: 'age', value: 60, unit: 'a' }]) as object[],
    });
    const verified = await system.post(
      `{ verifyPrediction(id: "${id}") { agrees modelServed } }`,
      undefined,
      await system.token('CLINICIAN'),
    );
    expect(verified.data).toEqual({ verifyPrediction: { agrees: true, modelServed: true } });

    const recorded = await models.auditEvents.find({ action: 'model:manage' }).sort({ sequence: 1 }).lean();
    const subjects = ['running@1.0.0', 'running@2.0.0', 'running@1.0.0', 'running@1.0.0'];
    for (const slug of ['alpha', 'beta']) {
      const organization = await system.organizationId(slug);
      const events = recorded.filter((event) => event.organization.toHexString() === organization);
      expect(events.map(({ subject }) => subject?.id)).toEqual(subjects);
      expect(new Set(events.map(({ username, outcome }) => `${username} ${outcome}`))).toEqual(
        new Set(['command-line ALLOWED']),
      );
    }
  });

  test('is found without the message, when a process looks at the database', async () => {
    const polling = { ...sameDatabases(system).environment, RISK_MODELS_POLL_SECONDS: '1' };
    const client = await (await startSystem({ worker: false, environment: polling })).client('CLINICIAN');
    const outcome = await model(['add', await bundle('unannounced')], { REDIS_URL: 'redis://127.0.0.1:1' });
    expect(outcome).toMatchObject({ code: 0, errors: expect.stringContaining('Redis does not answer') as string });
    await until(
      () => servedBy(client),
      (names) => names.includes('unannounced@1.0.0 default'),
    );
  });
});

describe('kill -9 while a version is added', () => {
  test.for([1, 4, 8])('after %i chunks leaves nothing usable, and adding it again makes it whole', async (count) => {
    const id = `killed-${count}`;
    // 20 MB that do not repeat, in ten chunks.
    const card = `# ${id}\n${Array.from({ length: 2_200_000 }, (_, index) => (index + count * 1e7).toString()).join('\n')}`;
    const directory = await bundle(id, '1.0.0', card);
    // A distant database gives the test the time to kill the command between two chunks.
    const proxy = await proxyTo(config.mongoUri!, 20);
    onTestFinished(() => proxy.close());
    const before = await models.modelChunks.countDocuments();
    const child = spawn(process.execPath, [cli, 'model', 'add', directory], {
      env: { PATH: process.env.PATH, ...environment, MONGO_URI: proxy.url },
      stdio: 'ignore',
    });
    await until(
      () => models.modelChunks.countDocuments(),
      (chunks) => chunks >= before + count,
    );
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(await models.modelVersions.countDocuments({ modelId: id })).toBe(0);
    await system.app.registry.refresh();
    expect(system.app.registry.find(id)).toBeUndefined();
    expect((await model(['list'])).output).not.toContain(id);

    expect(await model(['add', directory])).toMatchObject({ code: 0, errors: '' });
    const [stored] = (await store.versions()).filter(({ modelId }) => modelId === id);
    expect(bundleHash(await store.read(stored!))).toBe(bundleHash(await readBundle(directory)));
    await system.app.registry.refresh();
    expect(system.app.registry.find(id)?.card).toBe(card);
    await models.modelVersions.deleteOne({ _id: `${id}@1.0.0` });
  });
});

describe('a bundle that must not serve', () => {
  test('is refused by name, and nothing is stored', async () => {
    const directory = await bundle('faulty');
    const file = join(directory, 'model.onnx');
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, -9));
    const before = await models.modelChunks.countDocuments();
    expect(await model(['add', directory])).toMatchObject({
      code: 1,
      output: '',
      errors: expect.stringMatching(/^error: risk model bundle: .*SHA-256.*\n$/) as string,
    });
    const none = join(await temporaryDirectory(), 'none');
    await mkdir(none);
    expect((await model(['add', none])).errors).toMatch(/manifest\.json: there is no such file/);
    expect(await models.modelChunks.countDocuments()).toBe(before);
    expect(await models.auditEvents.countDocuments({ 'subject.id': /^faulty/ })).toBe(0);
  });

  test('is refused when it has other files than the version of the same name, added or in the directory', async () => {
    await stored(await bundle('twice'), 'twice');
    expect(await model(['add', await bundle('twice', '1.0.0', '# another card\n')])).toMatchObject({
      code: 1,
      errors: expect.stringMatching(
        /risk model twice@1.0.0: the deployment has this version with other files/,
      ) as string,
    });
    expect(await model(['add', await bundle(heartDisease.id, heartDisease.version)])).toMatchObject({
      code: 1,
      errors: expect.stringContaining(`risk model ${shipped}`) as string,
    });
  });

  // Shows: 164.312(b)
  test('is not added when the audit trail cannot be written', async () => {
    // A geographic index accepts no event from here on: an address is not a place on earth.
    const index = await models.auditEvents.collection.createIndex(
      { address: '2dsphere' },
      { partialFilterExpression: { occurredAt: { $gt: new Date() } } },
    );
    onTestFinished(async () => void (await models.auditEvents.collection.dropIndex(index)));
    const before = await models.modelChunks.countDocuments();
    expect(await model(['add', await bundle('unrecorded')])).toMatchObject({
      code: 1,
      output: '',
      errors: expect.stringContaining('The audit trail cannot be written') as string,
    });
    expect(await models.modelVersions.countDocuments({ modelId: 'unrecorded' })).toBe(0);
    expect(await models.modelChunks.countDocuments()).toBe(before);
  });

  test('is refused when it gives a feature another unit', async () => {
    const directory = await bundle('other-unit');
    const file = join(directory, 'manifest.json');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('"unit":"mm[Hg]"', '"unit":"kPa"'));
    expect(await model(['add', directory])).toMatchObject({
      code: 1,
      errors: expect.stringMatching(
        /other-unit@1.0.0: feature "resting_bp" is in kPa, but in mm\[Hg\] in another model served/,
      ) as string,
    });
    expect(await models.modelVersions.countDocuments({ modelId: 'other-unit' })).toBe(0);
  });
});

test('an unknown version, and a retired one as the default, are refused in one line; retiring twice does no harm', async () => {
  expect(await model(['retire', 'no-such@1.0.0'])).toMatchObject({
    code: 1,
    errors:
      'error: There is no risk model no-such@1.0.0: name one as "riskgraph model list" does, as in heart-disease@1.0.0.\n',
  });
  const directory = await bundle('once');
  await stored(directory, 'once');
  expect((await model(['retire', 'once@1.0.0'])).output).toBe(
    'once@1.0.0 is retired\nNo version of once is offered now\n',
  );
  expect((await model(['retire', 'once@1.0.0'])).output).toMatch(/^once@1.0.0 was retired before\n/);
  expect((await model(['default', 'once@1.0.0'])).errors).toMatch(/^error: once@1.0.0 is retired: offer it again/);
  expect((await model(['list'])).output).toMatch(/once@1.0.0 .*retired \d{4}-/);
  expect((await model(['add', directory])).output).toBe(
    'once@1.0.0 is offered again\nThe default version of once is 1.0.0\n',
  );
});

test('a version of the models directory can be retired, and is stored for that', async () => {
  const root = await temporaryDirectory();
  for (const version of ['1.0.0', '2.0.0'])
    await writeBundle(join(root, version), { manifest: { id: 'shelf', version } });
  const settings = { RISK_MODELS_DIRECTORY: root };
  expect((await model(['retire', 'shelf@2.0.0'], settings)).output).toBe(
    'shelf@2.0.0 is retired\nThe default version of shelf is 1.0.0\n',
  );
  const { output } = await model(['list'], settings);
  expect(output).toMatch(/shelf@2.0.0 .*retired .*directory, added/);
  expect(output).toMatch(/shelf@1.0.0 .*default .*directory /);
});

test('the last version that is offered is retired with --yes alone, and health says how to offer it again', async () => {
  const alone = await startSystem({ worker: false });
  const settings = settingsFor(alone.app.config);
  const refused = await model(['retire', shipped], settings);
  expect(refused.code).toBe(1);
  expect(refused.errors).toMatch(
    /^error: heart-disease@1\.0\.0 is the last version that is offered: [^\n]* go on with --yes; "riskgraph model add BUNDLE" offers it again\.\n$/,
  );
  expect((await model(['retire', '--yes', shipped], settings)).output).toBe(
    `${shipped} is retired\nNo version of heart-disease is offered now\n`,
  );
  await alone.app.registry.refresh();
  const health = await fetch(new URL('/health', alone.url));
  expect(health.status).toBe(503);
  expect(((await health.json()) as { reasons: Record<string, string> }).reasons.riskModels).toMatch(
    /^No risk model is served: "riskgraph model list" says .* "riskgraph model add BUNDLE" offers it again\./,
  );
  expect((await model(['add', 'risk-models/heart-disease'], settings)).output).toContain(`${shipped} is offered again`);
  await alone.app.registry.refresh();
  const { reasons } = (await (await fetch(new URL('/health', alone.url))).json()) as { reasons: object };
  expect(reasons).not.toHaveProperty('riskModels');
});
