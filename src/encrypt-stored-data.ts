import type { Logger } from 'pino';
import type { Models } from '../models/index.js';
import { hideStoredKeys } from './jobs/hide-stored-keys.js';
import { encryptStoredPatients } from './patients/encrypt-stored-patients.js';
import type { ProtectionOf } from './protection/protection.js';

/**
 * Encrypts what an earlier version stored as it was; does nothing where that has been done. Runs before anybody is served.
 * Processes of the earlier version must have been stopped: what they wrote meanwhile would be found at the next start only.
 * @throws StartupError when something cannot be encrypted
 */
export async function encryptStoredData(models: Models, protectionOf: ProtectionOf, logger?: Logger): Promise<void> {
  await encryptStoredPatients(models, protectionOf, (patients) => logger?.info({ patients }, 'patients of an earlier version were encrypted'));
  await hideStoredKeys(models, protectionOf);
}
