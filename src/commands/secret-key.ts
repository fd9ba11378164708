import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { deriveMasterKey, type MasterKey } from '../protection/master-keys.js';

/**
 * Reads the signing key of an installation without SECRET_KEY. The first call creates it in the data directory (mode
 * 0600). So `up` and `token` use the same key, and tokens stay valid after a restart. In production SECRET_KEY must be
 * set, and this key is never used.
 */
export async function localSecretKey(dataDirectory: string): Promise<string> {
  const file = join(dataDirectory, 'secret-key');
  const present = await readFile(file, 'utf8').catch(() => undefined);
  if (present) return present;
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, randomBytes(48).toString('base64url'), { mode: 0o600 });
  // Linking fails when another process was first. Then the key of that process counts.
  await link(draft, file).catch(() => undefined);
  await rm(draft);
  return readFile(file, 'utf8');
}

/**
 * Returns the master keys of an installation. Without SECRET_KEY, the last one is derived from the secret that `up`
 * keeps.
 */
export async function localMasterKeys(config: Config): Promise<readonly MasterKey[]> {
  // With a SECRET_KEY, which production always has, the configuration contains the derived key already.
  if (config.secretKey !== undefined) return config.masterKeys;
  return [...config.masterKeys, deriveMasterKey(await localSecretKey(config.dataDirectory))];
}
