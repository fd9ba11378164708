/** Fewest observations of each side that say something. */
const fewest = 100;

/**
 * The population stability index of two distributions: the sum of (q - p) ln(q / p) over all places, with p the expected
 * and q the present part. An empty place counts half an observation.
 * Siddiqi, Credit Risk Scorecards, 2006, names 0.1 and 0.25 as the limits of a slight and of a clear change.
 * @returns undefined when one side has fewer than 100 observations
 */
export function stabilityIndex(
  expected: ReadonlyMap<string, number>,
  present: ReadonlyMap<string, number>,
): number | undefined {
  const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((a, b) => a + b, 0);
  const [before, now] = [sum(expected), sum(present)];
  if (Math.min(before, now) < fewest) return undefined;
  let index = 0;
  for (const place of new Set([...expected.keys(), ...present.keys()])) {
    const p = (expected.get(place) ?? 0.5) / before;
    const q = (present.get(place) ?? 0.5) / now;
    index += (q - p) * Math.log(q / p);
  }
  return index;
}
