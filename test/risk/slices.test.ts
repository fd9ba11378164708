import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { SliceSizer } from '../../src/risk/slices.js';

describe('SliceSizer', () => {
  test('covers every row once, in order', async () => {
    const seen: number[] = [];
    await new SliceSizer().each(1000, undefined, (start, end) => {
      for (let row = start; row < end; row++) seen.push(row);
    });
    expect(seen).toEqual(Array.from({ length: 1000 }, (_, index) => index));
  });

  test('gives the event loop a turn between slices', async () => {
    const order: string[] = [];
    const work = new SliceSizer().each(3, undefined, () => void order.push('slice'));
    await nextTurn().then(() => order.push('turn'));
    await work;
    expect(order.indexOf('turn')).toBeLessThan(order.lastIndexOf('slice'));
  });

  test('starts nothing after an abort', async () => {
    const controller = new AbortController();
    let slices = 0;
    const work = new SliceSizer().each(100, controller.signal, () => {
      slices++;
      controller.abort(new Error('enough'));
    });
    await expect(work).rejects.toThrow('enough');
    expect(slices).toBe(1);
  });

  test('passes on what the work throws', async () => {
    await expect(new SliceSizer().each(2, undefined, () => Promise.reject(new Error('broken')))).rejects.toThrow(
      'broken',
    );
  });
});
