import type { Config } from '../config.js';
import { deriveMasterKey, type MasterKey } from '../protection/master-keys.js';
import { localSecretKey } from './secret-key.js';

/** The master keys of an installation; where it sets no SECRET_KEY, the last one comes from the secret that `up` keeps. */
export async function localMasterKeys(config: Config): Promise<readonly MasterKey[]> {
  // The configuration has seen to it already where there is a SECRET_KEY, which production always has.
  if (config.secretKey !== undefined) return config.masterKeys;
  return [...config.masterKeys, deriveMasterKey(await localSecretKey(config.dataDirectory))];
}
