import { fileVariable } from './secret-files.js';
import type { Setting } from './setting.js';
import { settings } from './settings.js';

/** A user and a password within a URL. */
const credentials = /(?<=:\/\/)[^/?#\s]*@/g;

/**
 * The settings of an environment that may be shown and kept, by variable. A secret that is set is null, and a URL is
 * without its user and password.
 * @param env usually `process.env`
 */
export function publicSettings(env: Readonly<Record<string, string | undefined>>): Record<string, string | null> {
  const isSet = (name: string): boolean => (env[name] ?? '') !== '';
  const given = settings.filter(({ name, secret }: Setting) => isSet(name) || (secret && isSet(fileVariable(name))));
  return Object.fromEntries(
    given.map(({ name, secret }: Setting) => [name, secret ? null : env[name]!.replaceAll(credentials, '')]),
  );
}
