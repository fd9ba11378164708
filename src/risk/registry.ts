import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidModelError } from './errors.js';
import { loadRiskModel } from './load-risk-model.js';
import type { RiskModel, RiskModelRegistry } from './risk-model.js';
import { compareVersions } from '../process/compare-versions.js';

/**
 * Loads every bundle below a directory: `root/<folder>/manifest.json`, one folder of any name per model version.
 * @throws InvalidModelError when a bundle fails its checks, two have the same id and version, or there is none. Then
 * all models that were loaded are closed.
 */
export async function loadRiskModels(rootDirectory: string): Promise<RiskModelRegistry> {
  const models: RiskModel[] = [];
  try {
    for (const directory of await bundleDirectories(rootDirectory)) {
      const model = await loadRiskModel(directory);
      models.push(model);
      const { id, version } = model.manifest;
      if (models.some((other) => other !== model && other.manifest.id === id && other.manifest.version === version)) {
        throw new InvalidModelError(
          `risk model ${id}@${version}`,
          'two bundles have this id and version',
          'raise the version of one, or remove it',
        );
      }
    }
  } catch (error) {
    await Promise.all(models.map((model) => model.close()));
    throw error;
  }
  models.sort(
    (left, right) =>
      left.manifest.id.localeCompare(right.manifest.id) ||
      compareVersions(right.manifest.version, left.manifest.version),
  );
  return {
    list: () => models,
    find: (id, version) =>
      models.find(({ manifest }) => manifest.id === id && (version === undefined || manifest.version === version)),
    close: async () => {
      await Promise.all(models.map((model) => model.close()));
    },
  };
}

async function bundleDirectories(root: string): Promise<string[]> {
  const refuse = (reason: string): never => {
    throw new InvalidModelError(
      'risk models',
      reason,
      'name a directory that holds bundles: FOLDER/manifest.json, FOLDER/model.onnx and FOLDER/MODEL_CARD.md',
    );
  };
  const names = await readdir(root).catch(() => refuse('the directory cannot be read'));
  const directories: string[] = [];
  for (const name of names.sort()) {
    const directory = join(root, name);
    if (
      await stat(join(directory, 'manifest.json')).then(
        (information) => information.isFile(),
        () => false,
      )
    )
      directories.push(directory);
  }
  if (directories.length === 0) refuse('the directory holds no bundle');
  return directories;
}
