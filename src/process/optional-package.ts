import { StartupError } from '../errors.js';

/**
 * Loads a module of ours whose packages are installed only where they are used.
 * @throws StartupError naming the setting that asks for it, and the packages, when one is missing
 */
export async function loadOptional<T>(
  load: () => Promise<T>,
  setting: string,
  packages: readonly string[],
): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new StartupError(`${setting} needs packages that are not installed: npm install ${packages.join(' ')}`, {
      cause: error,
    });
  }
}
