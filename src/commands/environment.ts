import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadConfig, type Config } from '../config.js';

/**
 * The configuration of a command: the environment, completed by a `.env` file in the working directory.
 * @param defaults for variables that neither of them sets
 */
export function commandConfig(defaults: Readonly<Record<string, string>> = {}): Config {
  loadEnvironmentFile();
  return loadConfig({ ...defaults, ...process.env });
}

/** Sets what a `.env` file in the working directory says. Variables that are set already win over it. */
export function loadEnvironmentFile(): void {
  const file = resolve('.env');
  if (existsSync(file)) process.loadEnvFile(file);
}
