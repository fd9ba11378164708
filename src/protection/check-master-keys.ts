import type { StoredDataKey, Models } from '../../models/index.js';
import { StartupError } from '../errors.js';
import { bytesOf } from '../storage/binary.js';
import { ownerOf } from './data-key-store.js';
import { unwrapKey } from './key-wrap.js';
import { isDerived, type MasterKey } from './master-keys.js';

/**
 * Checks before the first request that every data key can be unwrapped.
 * @throws StartupError that names the master key which is missing, or whose id belongs to another key
 */
export async function checkMasterKeys(
  { dataKeys, patients }: Pick<Models, 'dataKeys' | 'patients'>,
  masterKeys: readonly MasterKey[],
): Promise<void> {
  const byId = new Map(masterKeys.map(({ id, key }) => [id, key]));
  let seen = 0;
  for await (const dataKey of dataKeys.collection.find<StoredDataKey>({})) {
    seen += 1;
    const masterKey = byId.get(dataKey.masterKey);
    if (!masterKey) throw missing(dataKey.masterKey);
    try {
      unwrapKey(masterKey, ownerOf(dataKey), bytesOf(dataKey.wrappedKey));
    } catch {
      throw new StartupError(
        `The data key ${dataKey._id.toHexString()} cannot be decrypted with the master key "${dataKey.masterKey}": ` +
          `${wrongKeyRemedy(dataKey.masterKey)}`,
      );
    }
  }
  if (seen === 0 && (await patients.collection.findOne({ dataKey: { $exists: true } }, { projection: { _id: 1 } }))) {
    throw new StartupError(
      'There are encrypted patients but no data keys: restore the collection data_keys from a backup.',
    );
  }
}

function missing(id: string): StartupError {
  if (isDerived(id)) {
    return new StartupError(
      `Data are encrypted under the master key "${id}", which was derived from another SECRET_KEY, or outside ` +
        'production: start with that SECRET_KEY and without NODE_ENV=production, set ENCRYPTION_KEYS and run ' +
        '"riskgraph keys rotate".',
    );
  }
  return new StartupError(
    `Data are encrypted under the master key "${id}", which ENCRYPTION_KEYS does not have: add that key, alone or ` +
      `after a newer one ("newer:...,${id}:..."), and keep it until "riskgraph keys rotate" has ended with the ` +
      'newer one.',
  );
}

const wrongKeyRemedy = (id: string): string =>
  isDerived(id)
    ? 'the data key was changed: restore the collection data_keys from a backup.'
    : `ENCRYPTION_KEYS gives another key under that id, or the data key was changed: give "${id}" its earlier key ` +
      'again, or restore the collection data_keys from a backup.';
