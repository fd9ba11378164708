import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Setting } from './setting.js';
import { settings } from './settings.js';

/** Texts of the environment, by variable. */
type Environment = Readonly<Record<string, string | undefined>>;

/** Most bytes of a secret. */
const largestSecret = 64 * 1024;

/** The variable that names the file of a secret: `SECRET_KEY_FILE` for `SECRET_KEY`. */
export const fileVariable = (name: string): string => `${name}_FILE`;

const withComments: ReadonlySet<string> = new Set(
  settings.filter((setting: Setting) => setting.comments === true).map(({ name }) => name),
);

/** Names of the settings that a file may hold. */
export const secretSettings: readonly string[] = settings
  .filter((setting: Setting) => setting.secret === true)
  .map(({ name }) => name);

/**
 * Reads the secrets that the environment gives as files, as Docker, Kubernetes and systemd provide them.
 * @param given variables that are set, without empty ones
 * @returns the environment with the secrets in place of their files, and one line per file that cannot be used. No line
 *   has a part of a secret.
 */
export function readSecretFiles(given: Environment): { readonly environment: Environment; readonly issues: string[] } {
  const environment: Record<string, string | undefined> = { ...given };
  const issues: string[] = [];
  for (const name of secretSettings) {
    const variable = fileVariable(name);
    const path = given[variable];
    if (path === undefined) continue;
    try {
      if (given[name] !== undefined) throw new Error(`is set, and so is ${name}: keep one of the two`);
      environment[name] = readSecret(path, withComments.has(name));
    } catch (error) {
      issues.push(`${variable}: ${(error as Error).message}`);
    }
  }
  return { environment, issues };
}

/**
 * Reads the one line of a secret file. The line break at its end is no part of the secret.
 * @param hasComments leaves out empty lines and those that begin with #
 * @throws Error with the reason, which names the path and nothing of the content
 */
function readSecret(path: string, hasComments: boolean): string {
  const refuse = (reason: string): never => {
    throw new Error(`${path} ${reason}`);
  };
  const bytes = readRegularFile(path, refuse);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch {
    return refuse('is not UTF-8 text: write the secret itself into it');
  }
  if (hasComments)
    text = text
      .split(/\r?\n/)
      .filter((line) => line.trim() !== '' && !line.startsWith('#'))
      .join('\n');
  if (text === '') refuse('is empty: write the secret into it');
  if (/[\r\n]/.test(text)) refuse('has more than one line: write only the secret into it');
  return text;
}

function readRegularFile(path: string, refuse: (reason: string) => never): Uint8Array {
  let file: number;
  try {
    // Without this flag, a named pipe that has no writer would hold up the start.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return refuse(
      code === 'ENOENT' ? 'does not exist' : `cannot be read (${code}): allow the user of this process to read it`,
    );
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) return refuse('is not a file');
    // Windows has no such bits, and shows all of them.
    if (process.platform !== 'win32' && (stats.mode & 0o022) !== 0)
      return refuse('can be changed by other users: chmod go-w');
    if (stats.size > largestSecret) return refuse(`has more than ${largestSecret} bytes`);
    const buffer = Buffer.alloc(largestSecret + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read)
      read = readSync(file, buffer, length, buffer.length - length, null);
    return buffer.subarray(0, Math.min(length, largestSecret));
  } finally {
    closeSync(file);
  }
}
