import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadRiskModels } from '../../src/risk/registry.js';
import { writeBundle } from './support/bundle.js';
import { useTemporaryDirectory } from './support/temporary-directory.js';

const directory = useTemporaryDirectory();

describe('loadRiskModels', () => {
  test('loads several models and versions, and gives those with other files another hash', async () => {
    const root = join(directory.path, 'several');
    await writeBundle(join(root, 'a'), { manifest: { version: '1.9.0' } });
    await writeBundle(join(root, 'b'), { manifest: { version: '1.10.0' } });
    await mkdir(join(root, 'not-a-bundle'));
    await writeBundle(join(root, 'z'), { manifest: { id: 'another' } });
    const loaded = await loadRiskModels(root);
    expect(loaded.map(({ model: { manifest }, directory: folder }) => [manifest.id, manifest.version, folder])).toEqual(
      [
        ['example', '1.9.0', join(root, 'a')],
        ['example', '1.10.0', join(root, 'b')],
        ['another', '1.0.0', join(root, 'z')],
      ],
    );
    expect(new Set(loaded.map(({ hash }) => hash)).size).toBe(3);
    await Promise.all(loaded.map(({ model }) => model.close()));
  });

  test('refuses two bundles of one id and version, a faulty bundle, and a directory without any', async () => {
    const root = join(directory.path, 'twice');
    await writeBundle(join(root, 'one'));
    await writeBundle(join(root, 'two'));
    await expect(loadRiskModels(root)).rejects.toThrow(
      'risk model example@1.0.0: two bundles have this id and version; raise the version of one, or remove it',
    );
    await expect(loadRiskModels(join(directory.path, 'none'))).rejects.toThrow(
      /risk models: the directory cannot be read/,
    );
    await mkdir(join(directory.path, 'empty'));
    await expect(loadRiskModels(join(directory.path, 'empty'))).rejects.toThrow(
      /the directory holds no bundle; name a directory/,
    );
  });
});
