/**
 * Keeps the rows of a long list by their place, and reads them from a connection as they come into view:
 *
 * 1. `show` names the rows in view. They are read in blocks of 100, one request at a time, the latest wish first.
 * 2. A block needs the cursor of the row before it or behind it. Without one, the way to it is walked from the nearest
 *    known place, or from the nearer end of the list, in pages of 500 that carry no rows.
 * 3. The cursors along the way are kept, so that each way is walked once.
 * 4. Only the blocks that were in view last are kept, so that memory stays flat however far one scrolls.
 */

/** The arguments of one page of a connection. */
export interface Place {
  readonly first?: number;
  readonly after?: string;
  readonly last?: number;
  readonly before?: string;
}

/** One row with its place in the connection. */
interface PlacedRow<T> {
  readonly cursor: string;
  readonly node: T;
}

/** The two ways to read a connection. */
export interface RowReader<T> {
  /** Reads a page of rows. @param counted true asks for the number of all rows too */
  rows(
    place: Place,
    counted: boolean,
    signal: AbortSignal,
  ): Promise<{ readonly rows: readonly PlacedRow<T>[]; readonly total?: number | undefined }>;
  /** Reads the cursors at both ends of a page. Null when the page is empty. */
  ends(
    place: Place,
    signal: AbortSignal,
  ): Promise<{ readonly start?: string | null | undefined; readonly end?: string | null | undefined }>;
}

/** Rows of a list by their place. */
export interface SparseRows<T> {
  /** Number of all rows. Undefined before the first answer. */
  readonly total: number | undefined;
  /** The error that stopped the reading. `retry` goes on. */
  readonly error: Error | undefined;
  /** The row at a place. Undefined while it was not read. */
  at(index: number): T | undefined;
  /** Names the rows in view, both included. */
  show(first: number, last: number): void;
  retry(): void;
  /** Ends all reading. */
  close(): void;
}

/** Rows of one page that are shown. */
const blockSize = 100;
/** Rows of one step on the way to a page. It is the most that the API gives. */
const stepSize = 500;
/** Blocks that stay in memory. */
const keptBlocks = 30;

/** @param onChange called after each answer */
export function createSparseRows<T>(reader: RowReader<T>, onChange: () => void): SparseRows<T> {
  const blocks = new Map<number, readonly T[]>();
  /** Cursors by the place of their row. */
  const cursors = new Map<number, string>();
  const ended = new AbortController();
  let total: number | undefined;
  let error: Error | undefined;
  let wanted: readonly number[] = [0];
  let busy = false;

  function keep(start: number, rows: readonly PlacedRow<T>[]): void {
    if (rows.length === 0) return;
    cursors.set(start, rows[0]!.cursor);
    cursors.set(start + rows.length - 1, rows.at(-1)!.cursor);
    blocks.set(
      start / blockSize,
      rows.map(({ node }) => node),
    );
    for (const block of blocks.keys()) {
      if (blocks.size <= keptBlocks) break;
      if (!wanted.includes(block)) blocks.delete(block);
    }
  }

  /** The list has other rows than it had: all is read again. */
  function restart(): void {
    blocks.clear();
    cursors.clear();
    total = undefined;
  }

  async function begin(): Promise<void> {
    const page = await reader.rows({ first: blockSize }, true, ended.signal);
    total = page.total ?? page.rows.length;
    keep(0, page.rows);
  }

  /** Reads a block, or goes one step towards it. */
  async function approach(block: number, all: number): Promise<void> {
    const start = block * blockSize;
    const end = Math.min(start + blockSize, all);
    const known = [...cursors.keys()];
    const low = Math.max(-1, ...known.filter((index) => index < start));
    const high = Math.min(all, ...known.filter((index) => index >= end));
    const [ahead, back] = [start - 1 - low, high - end];
    const forwards = ahead <= back;
    const place = (size: number): Place =>
      forwards ? { first: size, after: cursors.get(low) } : { last: size, before: cursors.get(high) };
    const distance = Math.min(ahead, back);
    if (distance > 0) {
      const size = Math.min(stepSize, distance);
      const { start: startCursor, end: endCursor } = await reader.ends(place(size), ended.signal);
      const cursor = forwards ? endCursor : startCursor;
      if (cursor == null) return restart();
      cursors.set(forwards ? low + size : high - size, cursor);
      return;
    }
    const { rows } = await reader.rows(place(end - start), false, ended.signal);
    if (rows.length < end - start) {
      // The list became shorter. Its end is known now when it was read forwards.
      if (!forwards || rows.length === 0) return restart();
      total = start + rows.length;
    }
    keep(start, rows);
  }

  async function work(): Promise<void> {
    if (busy || error || ended.signal.aborted) return;
    const block = total === undefined ? 0 : wanted.find((wish) => !blocks.has(wish) && wish * blockSize < total!);
    if (block === undefined) return;
    busy = true;
    try {
      await (total === undefined ? begin() : approach(block, total));
    } catch (fault) {
      error = fault as Error;
    }
    busy = false;
    if (ended.signal.aborted) return;
    onChange();
    void work();
  }
  void work();

  return {
    get total() {
      return total;
    },
    get error() {
      return error;
    },
    at: (index) => blocks.get(Math.floor(index / blockSize))?.[index % blockSize],
    show(first, last) {
      const [from, to] = [Math.floor(first / blockSize), Math.floor(Math.max(first, last) / blockSize)];
      const inView = Array.from({ length: to - from + 1 }, (_, index) => from + index);
      // The neighbours come last, so that scrolling finds them.
      wanted = [...inView, to + 1, from - 1].filter((block) => block >= 0);
      for (const block of inView) {
        const rows = blocks.get(block);
        if (!rows) continue;
        blocks.delete(block);
        blocks.set(block, rows);
      }
      void work();
    },
    retry() {
      error = undefined;
      void work();
    },
    close: () => ended.abort(),
  };
}
