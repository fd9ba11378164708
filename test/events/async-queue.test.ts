import { describe, expect, vi, test } from 'vitest';
import { createAsyncQueue, type AsyncQueue } from '../../src/events/async-queue.js';

const done = { done: true, value: undefined };

describe('an async queue', () => {
  test('gives the pushed values in their order, and lets a consumer wait for more', async () => {
    const queue = createAsyncQueue<number>();
    queue.push(1, 2);
    expect(queue.length()).toBe(2);
    expect([await queue.next(), await queue.next()]).toEqual([1, 2].map((value) => ({ done: false, value })));
    const waiting = queue.next();
    queue.push(3);
    expect(await waiting).toEqual({ done: false, value: 3 });
  });

  test('ends after the remaining values, and closes once', async () => {
    const onClose = vi.fn<() => void>();
    const queue = createAsyncQueue<number>({ onClose });
    queue.push(1);
    queue.finish();
    queue.push(2);
    const seen = [];
    for await (const value of queue) seen.push(value);
    expect(seen).toEqual([1]);
    await queue.return!();
    expect(onClose).toHaveBeenCalledTimes(1);
  });

  test('`return` ends a `next` that waits, and drops the remaining values', async () => {
    const onClose = vi.fn<() => void>();
    const queue = createAsyncQueue<number>({ onClose });
    const waiting = queue.next();
    await queue.return!();
    expect(await waiting).toEqual(done);
    queue.push(1);
    expect(await queue.next()).toEqual(done);
    expect(onClose).toHaveBeenCalledTimes(1);
  });

  test('an error replaces the remaining values, and is thrown once', async () => {
    const onClose = vi.fn<() => void>();
    const queue = createAsyncQueue<number>({ onClose });
    queue.push(1);
    queue.fail(new Error('too far behind'));
    await expect(queue.next()).rejects.toThrow('too far behind');
    expect(await queue.next()).toEqual(done);
    expect(onClose).toHaveBeenCalledTimes(1);
  });

  test('looks for more only when it was woken and is empty', async () => {
    let stored = 0;
    const refill = vi.fn<() => Promise<void>>(async () => queue.push(stored));
    const queue: AsyncQueue<number> = createAsyncQueue<number>({ refill });
    queue.push(7);
    stored = 8;
    queue.wake();
    expect(await queue.next()).toEqual({ done: false, value: 7 });
    expect(refill).not.toHaveBeenCalled();
    expect(await queue.next()).toEqual({ done: false, value: 8 });
    const waiting = queue.next();
    stored = 9;
    queue.wake();
    expect(await waiting).toEqual({ done: false, value: 9 });
    expect(refill).toHaveBeenCalledTimes(2);
  });

  test('a wake during a look causes another one', async () => {
    const found = [[], [1]];
    const queue: AsyncQueue<number> = createAsyncQueue<number>({
      async refill() {
        const values = found.shift()!;
        if (found.length > 0) queue.wake();
        queue.push(...values);
      },
    });
    queue.wake();
    expect(await queue.next()).toEqual({ done: false, value: 1 });
  });

  test('closes when the look fails, so that no consumer waits without end', async () => {
    const onClose = vi.fn<() => void>();
    const queue = createAsyncQueue<number>({ refill: () => Promise.reject(new Error('denied')), onClose });
    queue.wake();
    await expect(queue.next()).rejects.toThrow('denied');
    expect(await queue.next()).toEqual(done);
    expect(onClose).toHaveBeenCalledTimes(1);
  });
});
