/** Counts by name. A count of zero takes no memory. */
interface Counts {
  of(name: string): number;
  /** @param change may be negative */
  add(name: string, change: number): void;
}

export function createCounts(): Counts {
  const counts = new Map<string, number>();
  return {
    of: (name) => counts.get(name) ?? 0,
    add(name, change) {
      const count = (counts.get(name) ?? 0) + change;
      if (count > 0) counts.set(name, count);
      else counts.delete(name);
    },
  };
}
