import type { Logger } from 'pino';
import type { Models } from '../../models/index.js';
import { StartupError } from '../errors.js';
import { checkMasterKeys } from './check-master-keys.js';
import { createDataKeyStore, type DataKeyStore } from './data-key-store.js';
import { createKeyring, type Keyring } from './keyring.js';
import type { MasterKey } from './master-keys.js';
import { createProtection, type ProtectionOf } from './protection.js';

/** The parts that encrypt and decrypt in one process. */
export interface StartedProtection {
  readonly store: DataKeyStore;
  readonly keyring: Keyring;
  readonly protectionOf: ProtectionOf;
}

interface ProtectionDependencies {
  readonly models: Models;
  readonly masterKeys: readonly MasterKey[];
  /** Gets a message when a master key turns out to be missing after the start. */
  readonly logger?: Logger;
}

/**
 * Checks the master keys and starts the protection of fields.
 * @throws StartupError when a master key is missing, or is not the one that wrapped the data keys
 */
export async function startProtection({
  models,
  masterKeys,
  logger,
}: ProtectionDependencies): Promise<StartedProtection> {
  if (masterKeys.length === 0) throw new StartupError('There is no master key for encryption: set ENCRYPTION_KEYS.');
  await checkMasterKeys(models, masterKeys);
  const missing = new Set<string>();
  const store = createDataKeyStore(models, masterKeys, (masterKey) => {
    if (!missing.has(masterKey))
      logger?.error(
        { masterKey },
        'data are encrypted under a master key that this process does not have: add that key to ENCRYPTION_KEYS and ' +
          'start again',
      );
    missing.add(masterKey);
  });
  const keyring = createKeyring(store);
  return { store, keyring, protectionOf: createProtection(keyring) };
}
