import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { InvalidArgumentError } from 'commander';
import { loadConfig, type Config } from '../config/config.js';
import { StartupError } from '../errors.js';

/**
 * Loads the configuration of a command: the environment, completed by a `.env` file in the working directory.
 * @param defaults values of variables that neither of them sets
 */
export function commandConfig(defaults: Readonly<Record<string, string>> = {}): Config {
  loadEnvironmentFile();
  return loadConfig({ ...defaults, ...process.env });
}

/**
 * Sets the variables of a `.env` file in the working directory. Variables that are already set keep their values.
 * @throws StartupError for a file that cannot be read
 */
export function loadEnvironmentFile(): void {
  const file = resolve('.env');
  if (!existsSync(file)) return;
  try {
    process.loadEnvFile(file);
  } catch {
    throw new StartupError(`${file} cannot be read: let this user read it, or start in another folder.`);
  }
}

/** Names of the variables of the `.env` file in the working directory. Empty without one. */
export function environmentFileNames(): string[] {
  const file = resolve('.env');
  return existsSync(file) ? Object.keys(parseEnv(readFileSync(file, 'utf8'))) : [];
}

/** Makes a parser of whole numbers within bounds, for commander. */
export const wholeNumber =
  (minimum: number, maximum: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < minimum || value > maximum)
      throw new InvalidArgumentError(`Give a whole number from ${minimum} to ${maximum}.`);
    return value;
  };
