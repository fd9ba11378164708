import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { bundleHash, readBundle } from './bundle/bundle-files.js';
import { InvalidModelError } from './errors.js';
import { loadBundleFiles } from './load-risk-model.js';
import { versionName } from './model-name.js';
import type { RiskModel } from './risk-model.js';

/** A model that was loaded from a folder. */
export interface DirectoryModel {
  readonly model: RiskModel;
  /** The folder of its bundle. */
  readonly directory: string;
  /** Hash over the files of its bundle, see `bundleHash`. */
  readonly hash: string;
}

/**
 * Loads every bundle below a directory: `root/<folder>/manifest.json`, one folder of any name per model version.
 * @throws InvalidModelError when a bundle fails its checks, two have the same id and version, or there is none. Then
 * all models that were loaded are closed.
 */
export async function loadRiskModels(root: string): Promise<DirectoryModel[]> {
  const loaded: DirectoryModel[] = [];
  const names = new Set<string>();
  try {
    for (const directory of await bundleDirectories(root)) {
      const files = await readBundle(directory);
      const model = await loadBundleFiles(basename(directory), files);
      loaded.push({ model, directory, hash: bundleHash(files) });
      const name = versionName(model.manifest.id, model.manifest.version);
      if (names.has(name))
        throw new InvalidModelError(
          `risk model ${name}`,
          'two bundles have this id and version',
          'raise the version of one, or remove it',
        );
      names.add(name);
    }
  } catch (error) {
    await Promise.all(loaded.map(({ model }) => model.close()));
    throw error;
  }
  return loaded;
}

/** The folders below a directory that hold a bundle, in the order of their names. @throws InvalidModelError for none */
export async function bundleDirectories(root: string): Promise<string[]> {
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
