import type { Logger } from 'pino';
import type { Models } from '../../models/index.js';
import { StartupError } from '../errors.js';
import { checkMasterKeys } from './check-master-keys.js';
import { createDataKeyStore, type DataKeyStore } from './data-key-store.js';
import { createKeyring, type Keyring } from './keyring.js';
import type { MasterKey } from './master-keys.js';
import { createProtection, type ProtectionOf } from './protection.js';

/** Everything that encrypts and decrypts in one process. */
export interface StartedProtection {
  readonly store: DataKeyStore;
  readonly keyring: Keyring;
  readonly protectionOf: ProtectionOf;
}

interface ProtectionDependencies {
  readonly models: Models;
  readonly masterKeys: readonly MasterKey[];
  /** Hears of master keys that come to be missing later on. */
  readonly logger?: Logger;
}

/** @throws StartupError when a master key is missing, or is another one than the one that the data keys were wrapped under */
export async function startProtection({
  models,
  masterKeys,
  logger,
}: ProtectionDependencies): Promise<StartedProtection> {
  if (masterKeys.length === 0) throw new StartupError('There is no master key to encrypt with: set ENCRYPTION_KEYS.');
  await checkMasterKeys(models, masterKeys);
  const missing = new Set<string>();
  const store = createDataKeyStore(models, masterKeys, (masterKey) => {
    if (!missing.has(masterKey))
      logger?.error(
        { masterKey },
        'data are encrypted under a master key that this process has not been given: start it again with that key in ENCRYPTION_KEYS',
      );
    missing.add(masterKey);
  });
  const keyring = createKeyring(store);
  return { store, keyring, protectionOf: createProtection(keyring) };
}
