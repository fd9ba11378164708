/** A value of a table: a number or a text, null where missing. */
export type Cell = number | string | null;

/** The most different values of a column that are kept. A column with more of them has a range, not codes. */
const mostKept = 1000;

/** A summary of one column of a table. Its memory does not grow with the rows. */
export class ColumnProfile {
  missing = 0;
  least = Infinity;
  most = -Infinity;
  mean = 0;
  /** True while every value is a whole number. */
  whole = true;
  private present = 0;
  private readonly counts = new Map<number | string, number>();
  private overflows = false;

  add(value: Cell): void {
    if (value === null) {
      this.missing++;
      return;
    }
    this.present++;
    if (typeof value === 'number') {
      this.least = Math.min(this.least, value);
      this.most = Math.max(this.most, value);
      this.mean += (value - this.mean) / this.present;
      this.whole &&= Number.isInteger(value);
    }
    if (this.counts.has(value)) this.counts.set(value, this.counts.get(value)! + 1);
    else if (this.counts.size < mostKept) this.counts.set(value, 1);
    else this.overflows = true;
  }

  /** True when all rows are without a value. */
  get empty(): boolean {
    return this.present === 0;
  }

  /** The different values in ascending order; undefined when there are more than 1000. */
  get values(): readonly (number | string)[] | undefined {
    if (this.overflows) return undefined;
    return [...this.counts.keys()].sort((left, right) =>
      typeof left === 'number' && typeof right === 'number' ? left - right : String(left) < String(right) ? -1 : 1,
    );
  }

  /** The commonest value among those that are kept. */
  get commonest(): number | string | undefined {
    return [...this.counts].reduce<[number | string, number] | undefined>(
      (best, entry) => (best && best[1] >= entry[1] ? best : entry),
      undefined,
    )?.[0];
  }

  /** The rows that have a value, if it is one of those that are kept. */
  count(value: number | string): number {
    return this.counts.get(value) ?? 0;
  }
}
