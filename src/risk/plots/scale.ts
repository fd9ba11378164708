/** A linear map of values to pixels. */
export interface Scale {
  readonly low: number;
  readonly high: number;
  (value: number): number;
}

/** Maps [low, high] to pixels [from, to]. A range without length is widened, so that every value has a place. */
export function linear([low, high]: readonly [number, number], [from, to]: readonly [number, number]): Scale {
  const spread = low === high ? Math.abs(low) / 2 || 0.5 : 0;
  const [least, most] = [low - spread, high + spread];
  return Object.assign((value: number) => from + ((value - least) / (most - least)) * (to - from), {
    low: least,
    high: most,
  });
}

/** Returns the least and the greatest value, with a margin on both sides; [0, 1] without any value. */
export function extent(values: Iterable<number>, margin = 0): readonly [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return [0, 1];
  const room = (high - low || Math.abs(high) || 1) * margin;
  return [low - room, high + room];
}

/** Returns the mean; NaN without any value. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Returns a quantile of sorted values, by linear interpolation (type 7 of Hyndman and Fan); NaN without any value. */
export function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share;
  const below = Math.floor(place);
  const low = sorted[below] ?? Number.NaN;
  return low + ((sorted[below + 1] ?? low) - low) * (place - below);
}
