import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { createModels, ensureIndexes } from '../../models/index.js';
import { createBundleStore, pruneModelChunks } from '../../src/model-store/bundle-store.js';
import { startModelRegistry, type ModelRegistry } from '../../src/model-store/model-registry.js';
import { bundleHash, readBundle, type BundleFiles } from '../../src/risk/bundle/bundle-files.js';
import { loadRiskModels, type DirectoryModel } from '../../src/risk/registry.js';
import { connectDatabase } from '../../src/storage/database.js';
import { writeBundle } from '../risk/support/bundle.js';
import { namespace } from '../support/namespace.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const database = await connectDatabase(namespace().mongoUri);
afterAll(() => database.close());
const models = createModels(database);
await ensureIndexes(models);
const store = createBundleStore(models);

async function files(id: string, version = '1.0.0', card = '# Example\n'): Promise<BundleFiles> {
  return readBundle(await writeBundle(join(await temporaryDirectory(), 'bundle'), { manifest: { id, version }, card }));
}

/** Starts the registry of a process, which looks for changes only when it is told to. */
async function start(
  directoryModels: readonly DirectoryModel[] = [],
  bundles = store,
): Promise<{ registry: ModelRegistry; log: { model?: string; err?: { message: string } }[] }> {
  const log: { model?: string }[] = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => void log.push(JSON.parse(line) as object) });
  const registry = await startModelRegistry({
    directoryModels,
    store: bundles,
    retiredLoaded: 1,
    pollMs: 3_600_000,
    logger,
  });
  onTestFinished(async () => {
    await registry.close();
    await models.modelVersions.deleteMany({});
    await models.modelChunks.deleteMany({});
  });
  return { registry, log };
}

const names = (registry: ModelRegistry): string[] =>
  registry.list().map(({ manifest }) => `${manifest.id}@${manifest.version}`);

test('a damaged version is refused and named, the others serve, and adding it again mends it', async () => {
  const sound = await files('sound');
  const damaged = await files('damaged');
  await store.add('sound', '1.0.0', sound);
  await store.add('damaged', '1.0.0', damaged);
  // Both bundles have the same model file, so a byte of the manifest is changed.
  const stored = (await store.versions()).find(({ modelId }) => modelId === 'damaged')!;
  const { sha256 } = stored.files.find(({ name }) => name === 'manifest.json')!;
  const bytes = Buffer.from(damaged.get('manifest.json')!);
  bytes[bytes.indexOf('Example')] = 'e'.charCodeAt(0);
  await models.modelChunks.updateOne({ _id: `${sha256}:0` }, { $set: { bytes } });
  const { registry, log } = await start();
  expect(names(registry)).toEqual(['sound@1.0.0']);
  expect(log).toMatchObject([
    {
      model: 'damaged@1.0.0',
      err: { message: expect.stringContaining('its stored manifest.json is damaged') as string },
    },
  ]);
  // It is neither read nor named again until its files are written again.
  await registry.refresh();
  expect(log).toHaveLength(1);
  await store.add('damaged', '1.0.0', damaged);
  await registry.refresh();
  expect(names(registry)).toEqual(['damaged@1.0.0', 'sound@1.0.0']);
});

test('the same version with other files in the directory is named, and the one of the directory serves', async () => {
  const root = await temporaryDirectory();
  await writeBundle(join(root, 'one'), { manifest: { id: 'both' } });
  await writeBundle(join(root, 'two'), { manifest: { id: 'same' } });
  await store.add('both', '1.0.0', await files('both', '1.0.0', '# another card\n'));
  await store.add('same', '1.0.0', await files('same'));
  const { registry, log } = await start(await loadRiskModels(root));
  expect(names(registry)).toEqual(['both@1.0.0', 'same@1.0.0']);
  expect(registry.find('both')!.card).toBe('# Example\n');
  expect(log.map(({ model, err }) => [model, err?.message])).toEqual([
    ['both@1.0.0', expect.stringContaining('the models directory has it with other files')],
  ]);
  await expect(store.add('same', '1.0.0', await files('same', '1.0.0', '# another card\n'))).rejects.toThrow(
    'risk model same@1.0.0: this version was added before with other files',
  );
});

test('a version that gives a feature another unit is refused, and the others serve', async () => {
  await store.add('first', '1.0.0', await files('first'));
  const bundle = new Map(await files('second'));
  const manifest = Buffer.from(bundle.get('manifest.json')!).toString().replace('"unit":"mm[Hg]"', '"unit":"kPa"');
  await store.add('second', '1.0.0', bundle.set('manifest.json', Buffer.from(manifest)));
  const { registry, log } = await start();
  expect(names(registry)).toEqual(['first@1.0.0']);
  expect(log).toMatchObject([{ model: 'second@1.0.0' }]);
});

test('retired versions are known, scored with and explained, and only one of them is in memory', async () => {
  for (const version of ['1.0.0', '2.0.0', '3.0.0']) await store.add('aged', version, await files('aged', version));
  for (const version of ['1.0.0', '2.0.0']) expect(await store.retire(`aged@${version}`)).toBe(true);
  const reads: string[] = [];
  const { registry } = await start([], {
    ...store,
    read: (version) => {
      reads.push(version.version);
      return store.read(version);
    },
  });
  expect(names(registry)).toEqual(['aged@3.0.0']);
  expect(registry.find('aged', '1.0.0')).toBeUndefined();
  expect(registry.manifests().map(({ version }) => version)).toEqual(['1.0.0', '2.0.0', '3.0.0']);
  expect(registry.state('aged', '1.0.0')).toEqual({ isDefault: false, retiredAt: expect.any(Date) as Date });
  const first = (await registry.load('aged', '1.0.0'))!;
  const row = first.encode({ age: 60, resting_bp: 140, chest_pain: 2 });
  expect(await first.score([row])).toMatchObject([{ rawOutput: 0.875 }]);
  expect(reads).toEqual(['3.0.0', '1.0.0']);
  // The second takes the place of the first, which is loaded again when it scores.
  const second = (await registry.load('aged', '2.0.0'))!;
  expect(await second.score([row])).toEqual(await first.score([row]));
  expect(reads).toEqual(['3.0.0', '1.0.0', '2.0.0', '1.0.0']);
  expect(await first.explain([row])).toMatchObject([{ outputValue: 0.875 }]);
  expect(await registry.load('aged', '9.0.0')).toBeUndefined();
});

test('a version that the process has not heard of is found when a job needs it', async () => {
  const { registry } = await start();
  await store.add('late', '1.0.0', await files('late'));
  expect(registry.find('late')).toBeUndefined();
  expect((await registry.load('late', '1.0.0'))?.manifest.id).toBe('late');
  expect((await registry.bundle('late', '1.0.0')).size).toBe(3);
});

test('two commands that add one version at the same time leave it whole; with other files, one is refused', async () => {
  const bundle = await files('race', '1.0.0', 'x'.repeat(5_000_000));
  await Promise.all([store.add('race', '1.0.0', bundle), store.add('race', '1.0.0', bundle)]);
  const [stored] = await store.versions();
  expect(bundleHash(await store.read(stored!))).toBe(bundleHash(bundle));
  const outcomes = await Promise.allSettled([
    store.add('race', '2.0.0', await files('race', '2.0.0')),
    store.add('race', '2.0.0', await files('race', '2.0.0', '# another card\n')),
  ]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  await models.modelVersions.deleteMany({});
});

test('chunks that no version names are removed a day after they were written', async () => {
  await store.add('pruned', '1.0.0', await files('pruned'));
  const kept = (await store.versions()).flatMap((version) => version.files.map(({ sha256 }) => `${sha256}:0`));
  const tomorrow = new Date(Date.now() + 90_000_000);
  await models.modelChunks.create({ _id: 'orphan:0', sha256: 'orphan', bytes: Buffer.from('x'), storedAt: new Date() });
  await pruneModelChunks(models);
  expect(await models.modelChunks.exists({ _id: 'orphan:0' })).not.toBeNull();
  await pruneModelChunks(models, tomorrow);
  const left = await models.modelChunks.distinct('_id');
  expect(left.sort()).toEqual([...new Set(kept)].sort());
});
