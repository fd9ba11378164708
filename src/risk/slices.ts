import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Learns how many rows fit a slice. Keep one sizer for each kind of work: the next call starts with the learnt size.
 */
export class SliceSizer {
  private size = 1;

  /**
   * @param targetMilliseconds the time that a slice aims at. @defaultValue 8, under half of the limit of 20 ms for the
   *   event loop of a server, since the next slice may cost more
   */
  constructor(private readonly targetMilliseconds = 8) {}

  /**
   * Calls `work` on 0..count in slices. The event loop gets a turn between slices.
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
    const { targetMilliseconds } = this;
    if (milliseconds > targetMilliseconds)
      this.size = Math.max(1, Math.floor((rows * targetMilliseconds) / milliseconds));
    else if (rows === this.size && milliseconds < targetMilliseconds / 2) this.size = Math.min(4096, this.size * 2);
  }
}
