/*
 * The risk models that a process knows: those of its models directory, and those that were added to the deployment.
 *
 * How a process learns of a change:
 * 1. A command writes the change to MongoDB, and publishes a message in Redis. The poll finds it if that is lost.
 * 2. The list of versions is read. A new version is loaded through the checks that every bundle must pass.
 * 3. A version that fails is named in the log and left out. It is looked at again when its files are written again.
 * 4. A version that was retired is no longer offered. Its manifest stays known, and it is loaded when it is needed.
 */
import type { Logger } from 'pino';
import type { StoredModelVersion } from '../../models/index.js';
import type { EventBus } from '../events/event-bus.js';
import { logError } from '../process/logger.js';
import { createSerialTask } from '../process/serial-task.js';
import { bundleHash, bundleInMemory, readBundle, readManifest, type BundleFiles } from '../risk/bundle/bundle-files.js';
import { InvalidModelError } from '../risk/errors.js';
import { loadBundleFiles } from '../risk/load-risk-model.js';
import type { RiskModelManifest } from '../risk/manifest.js';
import { versionName } from '../risk/model-name.js';
import type { DirectoryModel } from '../risk/registry.js';
import type { RiskModel, RiskModelRegistry } from '../risk/risk-model.js';
import { requireSameUnits } from '../risk/unit-conflict.js';
import type { BundleStore } from './bundle-store.js';
import { byVersion, defaultVersions } from './default-version.js';
import { createLoadedModels } from './loaded-models.js';

/** The models of a process, kept up to date with the deployment. */
export interface ModelRegistry extends RiskModelRegistry {
  /** Reads the list of versions again. Calls at the same time share one reading. @throws when MongoDB is away */
  refresh(): Promise<void>;
  /**
   * Reads the files of a known version, for a thread that loads it itself.
   * @throws InvalidModelError when the files are damaged, or are no longer those that were loaded
   */
  bundle(id: string, version: string): Promise<BundleFiles>;
}

/** A version as this process knows it. */
interface KnownVersion {
  readonly manifest: RiskModelManifest;
  readonly hash: string;
  readonly read: () => Promise<BundleFiles>;
  /** The model as it is given out; absent while the version is not offered. */
  readonly offered?: RiskModel;
  /** When its files were written to the store, milliseconds; absent for a version of the directory alone. */
  readonly storedAt?: number;
  readonly retiredAt?: Date;
  readonly chosenAt?: Date;
}

interface ModelRegistryDependencies {
  /** The models of this process's own directory. The registry closes them. */
  readonly directoryModels: readonly DirectoryModel[];
  readonly store: Pick<BundleStore, 'versions' | 'read' | 'readFile'>;
  /** Most retired models that are in memory. */
  readonly retiredLoaded: number;
  /** Time between two looks for changes. Milliseconds. */
  readonly pollMs: number;
  readonly logger: Logger;
}

/**
 * Starts with the models of the directory, and with every stored version that passes the checks.
 * @throws InvalidModelError when two models of the directory disagree on a unit; the error of MongoDB when it is away
 */
export async function startModelRegistry(dependencies: ModelRegistryDependencies): Promise<ModelRegistry> {
  const registry = createModelRegistry(dependencies);
  try {
    registry.addDirectory();
    await registry.refresh();
    return registry;
  } catch (error) {
    await registry.close();
    throw error;
  }
}

function createModelRegistry({
  directoryModels,
  store,
  retiredLoaded,
  pollMs,
  logger,
}: ModelRegistryDependencies): ModelRegistry & { addDirectory(): void } {
  let known = new Map<string, KnownVersion>();
  let offered: readonly RiskModel[] = [];
  let manifests: readonly RiskModelManifest[] = [];
  let defaults: ReadonlyMap<string, { readonly version: string; readonly model: RiskModel }> = new Map();
  /** When the files of a refused version were written. Until they are written again, it is not tried again. */
  const refused = new Map<string, number | undefined>();
  const conflicts = new Set<string>();
  const loaded = createLoadedModels(retiredLoaded, async (name) => {
    const version = known.get(name);
    if (!version) throw new InvalidModelError(`risk model ${name}`, 'it is not known', 'add it');
    return loadBundleFiles(name, await version.read());
  });

  function addDirectory(): void {
    const versions = new Map<string, KnownVersion>();
    for (const { model, directory, hash } of directoryModels) {
      const name = nameOf(model.manifest);
      const read = async (): Promise<BundleFiles> => {
        const files = await readBundle(directory);
        if (bundleHash(files) === hash) return files;
        throw new InvalidModelError(
          `risk model ${name}`,
          'its bundle has changed since the start',
          'restart the process',
        );
      };
      versions.set(name, { manifest: model.manifest, hash, read, offered: loaded.keep(name, model) });
    }
    show(versions);
    for (const { model } of directoryModels) requireSameUnits(model.manifest, manifests);
  }

  const isRefused = (name: string, storedAt: number | undefined): boolean =>
    refused.has(name) && refused.get(name) === storedAt;

  function refuse(name: string, storedAt: number | undefined, error: InvalidModelError): void {
    if (isRefused(name, storedAt)) return;
    refused.set(name, storedAt);
    logError(logger, error, 'a risk model is refused and is not served; the others are', { model: name });
  }

  /** The files of the directory are served; the state is that of the deployment. */
  function tellConflict(name: string): void {
    if (conflicts.has(name)) return;
    conflicts.add(name);
    const error = new InvalidModelError(
      `risk model ${name}`,
      'the models directory has it with other files than those that were added to the deployment',
      'raise the version of one of them',
    );
    logError(logger, error, 'a risk model is refused; the one of the models directory is served', { model: name });
  }

  /** Loads what is new of a stored version. @throws InvalidModelError when it must not be served */
  async function learn(stored: StoredModelVersion, present: KnownVersion | undefined): Promise<KnownVersion> {
    const { _id: name, hash, retiredAt, chosenAt } = stored;
    const state = {
      storedAt: stored.storedAt.getTime(),
      ...(retiredAt && { retiredAt }),
      ...(chosenAt && { chosenAt }),
    };
    if (present && present.hash !== hash) tellConflict(name);
    const { manifest, read } = present ?? {
      manifest: await readManifest(
        bundleInMemory(new Map([['manifest.json', await store.readFile(stored, 'manifest.json')]])),
      ),
      read: () => store.read(stored),
    };
    const version = { manifest, hash: present?.hash ?? hash, read, ...state };
    if (retiredAt) {
      loaded.release(name);
      return version;
    }
    if (present?.offered) return { ...version, offered: present.offered };
    requireSameUnits(manifest, manifests);
    const model = await loadBundleFiles(name, await read());
    return { ...version, offered: loaded.keep(name, model) };
  }

  /** Makes a set of versions the known one, in one step. */
  function show(versions: Map<string, KnownVersion>): void {
    known = versions;
    manifests = [...versions.values()].map(({ manifest }) => manifest);
    const inService = [...versions.values()].flatMap(({ manifest: { id, version }, offered: model, chosenAt }) =>
      model ? [{ id, version, model, ...(chosenAt && { chosenAt }) }] : [],
    );
    inService.sort((left, right) => left.id.localeCompare(right.id) || byVersion(left, right));
    offered = inService.map(({ model }) => model);
    defaults = defaultVersions(inService);
  }

  async function readVersions(): Promise<void> {
    for (const stored of await store.versions()) {
      const name = stored._id;
      const storedAt = stored.storedAt.getTime();
      const present = known.get(name);
      if (isRefused(name, storedAt) && !stored.retiredAt && !present?.offered) continue;
      try {
        const version = await learn(stored, present);
        show(new Map(known).set(name, version));
      } catch (error) {
        if (!(error instanceof InvalidModelError)) throw error;
        refuse(name, storedAt, error);
      }
    }
  }

  const reading = createSerialTask(readVersions);

  async function load(id: string, version: string): Promise<RiskModel | undefined> {
    const name = versionName(id, version);
    if (!known.has(name)) await reading.run();
    const found = known.get(name);
    if (!found || found.offered) return found?.offered;
    if (isRefused(name, found.storedAt)) return undefined;
    try {
      return await loaded.get(name);
    } catch (error) {
      if (!(error instanceof InvalidModelError)) throw error;
      refuse(name, found.storedAt, error);
      return undefined;
    }
  }

  const timer = setInterval(() => {
    void refreshOrTell(reading.run, logger);
  }, pollMs);
  timer.unref();

  return {
    addDirectory,
    list: () => offered,
    find: (id, version) =>
      version === undefined ? defaults.get(id)?.model : known.get(versionName(id, version))?.offered,
    load,
    manifests: () => manifests,
    manifest: (id, version) => known.get(versionName(id, version))?.manifest,
    state: (id, version) => {
      const retiredAt = known.get(versionName(id, version))?.retiredAt;
      return { isDefault: defaults.get(id)?.version === version, ...(retiredAt && { retiredAt }) };
    },
    refresh: reading.run,
    async bundle(id, version) {
      const name = versionName(id, version);
      const found = known.get(name);
      if (!found) throw new InvalidModelError(`risk model ${name}`, 'it is not known', 'add it');
      return found.read();
    },
    async close() {
      clearInterval(timer);
      await reading.settled();
      await loaded.close();
    },
  };
}

/** Reads the list again at each message of a change, and when messages may have been missed. @returns how to stop */
export function followModels(
  registry: Pick<ModelRegistry, 'refresh'>,
  events: Pick<EventBus, 'subscribe' | 'onGap'>,
  logger: Logger,
): () => void {
  const refresh = (): void => void refreshOrTell(registry.refresh, logger);
  const stops = [events.subscribe('riskModelsChanged', refresh), events.onGap(refresh)];
  return () => stops.forEach((stop) => stop());
}

async function refreshOrTell(refresh: () => Promise<void>, logger: Logger): Promise<void> {
  try {
    await refresh();
  } catch (error) {
    logError(logger, error, 'the list of risk models could not be read; it is read again soon', { level: 'warn' });
  }
}

const nameOf = ({ id, version }: RiskModelManifest): string => versionName(id, version);
