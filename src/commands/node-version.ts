import { StartupError } from '../errors.js';

/**
 * The oldest Node.js on which every package runs. Typegoose requires it. package.json and scripts/setup.sh name the
 * same version.
 */
export const oldestNode = '20.19';

/**
 * Refuses a Node.js on which the packages would fail with a stack trace.
 * @param version as in `process.versions.node`
 * @throws StartupError naming the version and the remedy
 */
export function refuseOldNode(version: string): void {
  const [major, minor] = version.split('.').map(Number) as [number, number];
  const [oldestMajor, oldestMinor] = oldestNode.split('.').map(Number) as [number, number];
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new StartupError(
    `Node.js ${version} is too old: install version 24, or any from ${oldestNode} to 26 (https://nodejs.org).`,
  );
}
