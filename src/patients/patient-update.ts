import type { RecordedFeature } from '../../models/index.js';

/** The fields to write: those that were given and are not null. */
export function applyUpdate<T extends object>(changes: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value != null)) as { [K in keyof T]?: NonNullable<T[K]> };
}

/** The values after an update: those given replace the old ones of the same code, null removes, the rest stay. */
export function mergeFeatures(
  present: readonly RecordedFeature[],
  given: readonly { readonly code: string; readonly value: number | null }[],
  now: Date,
): RecordedFeature[] {
  const replaced = new Set(given.map((feature) => feature.code));
  const recorded = given.flatMap(({ code, value }) => (value === null ? [] : [{ code, value, recordedAt: now }]));
  return [...present.filter((feature) => !replaced.has(feature.code)), ...recorded];
}
