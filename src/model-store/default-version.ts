import { compareVersions } from '../process/compare-versions.js';

/** An offered version of a model, and the time when an operator chose it. */
interface OfferedVersion {
  readonly id: string;
  readonly version: string;
  readonly chosenAt?: Date;
}

/** Sorts versions of one model: the highest first. */
export const byVersion = (left: OfferedVersion, right: OfferedVersion): number =>
  compareVersions(right.version, left.version);

/**
 * The default version of each model: the one that an operator chose last. Without a choice, it is the highest.
 * @param offered versions that are offered, of any number of models
 * @returns the versions by the id of their model
 */
export function defaultVersions<T extends OfferedVersion>(offered: readonly T[]): Map<string, T> {
  const defaults = new Map<string, T>();
  const byChoice = (left: T, right: T): number =>
    (right.chosenAt?.getTime() ?? 0) - (left.chosenAt?.getTime() ?? 0) || byVersion(left, right);
  for (const version of [...offered].sort(byChoice)) if (!defaults.has(version.id)) defaults.set(version.id, version);
  return defaults;
}
