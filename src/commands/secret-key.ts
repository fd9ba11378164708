import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { deriveMasterKey, type MasterKey } from '../protection/master-keys.js';

/**
 * The signing key of an installation that sets no SECRET_KEY: made once, kept in the data directory (mode 0600), so
 * that `up` and `token` agree and tokens outlive a restart. Never used in production, where SECRET_KEY must be set.
 */
export async function localSecretKey(dataDirectory: string): Promise<string> {
  const file = join(dataDirectory, 'secret-key');
  const present = await readFile(file, 'utf8').catch(() => undefined);
  if (present) return present;
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, randomBytes(48).toString('base64url'), { mode: 0o600 });
  // Linking fails when another process was first: then its key is the one.
  await link(draft, file).catch(() => undefined);
  await rm(draft);
  return readFile(file, 'utf8');
}

/** The master keys of an installation; where it sets no SECRET_KEY, the last one comes from the secret that `up` keeps. */
export async function localMasterKeys(config: Config): Promise<readonly MasterKey[]> {
  // The configuration has seen to it already where there is a SECRET_KEY, which production always has.
  if (config.secretKey !== undefined) return config.masterKeys;
  return [...config.masterKeys, deriveMasterKey(await localSecretKey(config.dataDirectory))];
}
