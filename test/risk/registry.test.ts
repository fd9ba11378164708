import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compareVersions, loadRiskModels } from '../../src/risk/registry.js';
import { writeBundle } from './support/bundle.js';
import { useTemporaryDirectory } from './support/temporary-directory.js';

const directory = useTemporaryDirectory();

describe('loadRiskModels', () => {
  test('serves several models and versions side by side; without a version, the highest', async () => {
    const root = join(directory.path, 'several');
    await writeBundle(join(root, 'one'), { manifest: { version: '1.9.0' } });
    await writeBundle(join(root, 'two'), { manifest: { version: '1.10.0' } });
    await writeBundle(join(root, 'other'), { manifest: { id: 'another' } });
    await mkdir(join(root, 'not-a-bundle'));
    const registry = await loadRiskModels(root);
    expect(registry.list().map(({ manifest }) => `${manifest.id}@${manifest.version}`)).toEqual([
      'another@1.0.0',
      'example@1.10.0',
      'example@1.9.0',
    ]);
    expect(registry.find('example')?.manifest.version).toBe('1.10.0');
    expect(registry.find('example', '1.9.0')?.manifest.version).toBe('1.9.0');
    expect(registry.find('example', '2.0.0')).toBeUndefined();
    expect(registry.find('unknown')).toBeUndefined();
    await registry.close();
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

  test('orders versions by number', () => {
    expect(['1.0.0', '1.10.0', '0.9.9', '1.9.0', '1.0.1'].sort(compareVersions)).toEqual([
      '0.9.9',
      '1.0.0',
      '1.0.1',
      '1.9.0',
      '1.10.0',
    ]);
    expect(compareVersions('2.0.0', '2.0.0')).toBe(0);
  });
});
