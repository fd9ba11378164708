import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** A slice aims at half of the 20 ms that nothing may hold the event loop, since the next may cost more than the last. */
const targetMilliseconds = 8;

/** Learns how many rows fit a slice. Keep one for each kind of work, so that the next call starts with what was learnt. */
export class SliceSizer {
  private size = 1;

  /**
   * Does `work` on 0..count in slices, giving the event loop a turn between them.
   * @throws the signal's reason when it is aborted before a slice
   */
  async each(
    count: number,
    signal: AbortSignal | undefined,
    work: (start: number, end: number) => void | Promise<void>,
  ): Promise<void> {
    let start = 0;
    while (start < count) {
      signal?.throwIfAborted();
      const end = Math.min(count, start + this.size);
      const begun = performance.now();
      await work(start, end);
      this.learn(end - start, performance.now() - begun);
      start = end;
      if (start < count) await nextTurn();
    }
    signal?.throwIfAborted();
  }

  private learn(rows: number, milliseconds: number): void {
    if (milliseconds > targetMilliseconds)
      this.size = Math.max(1, Math.floor((rows * targetMilliseconds) / milliseconds));
    else if (rows === this.size && milliseconds < targetMilliseconds / 2) this.size = Math.min(4096, this.size * 2);
  }
}
