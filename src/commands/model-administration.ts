import { recorded } from '../audit/audit-trail.js';
import { shippedModelsDirectory } from '../app.js';
import type { Config } from '../config/config.js';
import { eventChannel, publishEvent } from '../events/event-bus.js';
import { createBundleStore, type BundleStore } from '../model-store/bundle-store.js';
import { byVersion, defaultVersions } from '../model-store/default-version.js';
import type { Models } from '../../models/index.js';
import { bundleHash, bundleInMemory, readBundle, readManifest } from '../risk/bundle/bundle-files.js';
import { InvalidModelError } from '../risk/errors.js';
import type { RiskModelManifest } from '../risk/manifest.js';
import { versionName } from '../risk/model-name.js';
import { bundleDirectories } from '../risk/registry.js';
import { commandActor, withCommandTrail } from './command-trail.js';
import { connectLocalDatabase } from './local-access.js';
import { withRedis } from './with-redis.js';

/** A version as an operator sees it: in the models directory of this machine, added to the deployment, or both. */
export interface ListedVersion {
  readonly name: string;
  readonly id: string;
  readonly version: string;
  readonly hash: string;
  readonly isDefault: boolean;
  /** Tells whether it was added to the deployment. */
  readonly stored: boolean;
  /** Its folder in the models directory of this machine. */
  readonly directory?: string;
  readonly addedAt?: Date;
  readonly retiredAt?: Date;
  readonly chosenAt?: Date;
  /** Absent when its stored files are damaged. */
  readonly manifest?: RiskModelManifest;
  /** The reason why processes refuse it. */
  readonly fault?: string;
}

/** The risk models of the deployment, for an operator who has the database and its keys. */
export interface ModelAdministration {
  /** Every version, in the order of their names, the highest first. */
  versions(): Promise<ListedVersion[]>;
  /**
   * Changes a version. The change is on the audit trail of every organization before it is made, and running processes
   * are told of it after.
   */
  recorded<T>(name: string, work: (store: BundleStore) => Promise<T>): Promise<T>;
}

/**
 * Connects to the database of this installation, to administer its risk models.
 * @throws StartupError when the master keys are missing
 */
export async function withModelAdministration(
  config: Config,
  work: (administration: ModelAdministration) => Promise<void>,
): Promise<void> {
  const database = await connectLocalDatabase(config);
  const { models } = database;
  const store = createBundleStore(models);
  try {
    await withCommandTrail(config, models, 'model', ({ audit }) =>
      work({
        versions: () => listVersions(config, store),
        async recorded(name, change) {
          const subject = { kind: 'RISK_MODEL', id: name } as const;
          const organizations = await organizationIds(models);
          const result = await organizations.reduce(
            (inner, id) => () => recorded(audit, commandActor(id), { action: 'model:manage', subject }, inner),
            () => change(store),
          )();
          if (!database.exclusive) await announce(config);
          return result;
        },
      }),
    );
  } finally {
    await database.close();
  }
}

async function organizationIds({ organizations }: Models): Promise<string[]> {
  const found = await organizations.find({}, { _id: 1 }).lean();
  return found.map(({ _id }) => _id.toHexString());
}

async function listVersions(config: Config, store: BundleStore): Promise<ListedVersion[]> {
  const found = new Map<string, Omit<ListedVersion, 'isDefault'>>();
  for (const directory of await bundleDirectories(config.riskModelsDirectory ?? shippedModelsDirectory())) {
    const files = await readBundle(directory);
    const manifest = await readManifest(bundleInMemory(files));
    const { id, version } = manifest;
    const name = versionName(id, version);
    found.set(name, { name, id, version, hash: bundleHash(files), stored: false, directory, manifest });
  }
  for (const stored of await store.versions()) {
    const { _id: name, modelId: id, version, hash, addedAt, retiredAt, chosenAt } = stored;
    const inDirectory = found.get(name);
    const state = { addedAt, ...(retiredAt && { retiredAt }), ...(chosenAt && { chosenAt }) };
    if (inDirectory)
      found.set(name, {
        ...inDirectory,
        ...state,
        stored: true,
        ...(inDirectory.hash !== hash && { fault: 'the models directory has other files of this version' }),
      });
    else found.set(name, { name, id, version, hash, stored: true, ...state, ...(await manifestOf(store, stored)) });
  }
  const versions = [...found.values()].sort((left, right) => left.id.localeCompare(right.id) || byVersion(left, right));
  const defaults = defaultVersions(versions.filter(({ retiredAt }) => !retiredAt));
  return versions.map((version) => ({ ...version, isDefault: defaults.get(version.id)?.name === version.name }));
}

async function manifestOf(
  store: BundleStore,
  stored: Parameters<BundleStore['readFile']>[0],
): Promise<Pick<ListedVersion, 'manifest' | 'fault'>> {
  try {
    const files = new Map([['manifest.json', await store.readFile(stored, 'manifest.json')]]);
    return { manifest: await readManifest(bundleInMemory(files)) };
  } catch (error) {
    if (error instanceof InvalidModelError) return { fault: error.message };
    throw error;
  }
}

/** Tells the running processes of a change. Without Redis they find it with their next look at the database. */
async function announce(config: Config): Promise<void> {
  try {
    await withRedis(config, (redis) => publishEvent(redis, eventChannel(config.redisPrefix), 'riskModelsChanged', {}));
  } catch {
    process.stderr.write(
      'Redis does not answer: running processes learn of this change when they look at the database again, after ' +
        'RISK_MODELS_POLL_SECONDS.\n',
    );
  }
}
