/** How far a job was at a time. */
export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly processed: number;
}

/** The time over which the rate is taken. */
const windowMs = 15_000;

/** Adds a sample, and drops those that are older than the window, but for the last one of them. */
export function withSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  const all = [...samples, sample];
  const firstInside = all.findIndex(({ at }) => at > sample.at - windowMs);
  return all.slice(Math.max(0, firstInside - 1));
}

/**
 * The patients per second over the window, and the seconds that the rest takes at this rate.
 * @returns undefined until there is progress to judge by
 */
export function rateOf(
  samples: readonly Sample[],
  total: number,
): { readonly perSecond: number; readonly secondsLeft: number } | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.at <= first.at || last.processed <= first.processed) return undefined;
  const perSecond = ((last.processed - first.processed) / (last.at - first.at)) * 1_000;
  return { perSecond, secondsLeft: (total - last.processed) / perSecond };
}
