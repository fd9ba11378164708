import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadConfig, type Config } from '../config.js';

/**
 * The configuration of a command: the environment, completed by a `.env` file in the working directory.
 * @param defaults for variables that neither of them sets
 */
export function commandConfig(defaults: Readonly<Record<string, string>> = {}): Config {
  const file = resolve('.env');
  // Variables that are set already win over the file.
  if (existsSync(file)) process.loadEnvFile(file);
  return loadConfig({ ...defaults, ...process.env });
}
