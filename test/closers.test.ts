import { describe, expect, test } from 'vitest';
import { closeTogether, createClosers, startOrClose } from '../src/closers.js';

/** Closers that note their names. Those of `failing` throw after that. */
function noted(names: readonly string[], failing: readonly string[] = []) {
  const closed: string[] = [];
  const closers = createClosers();
  for (const name of names)
    closers.add(async () => {
      await Promise.resolve();
      closed.push(name);
      if (failing.includes(name)) throw new Error(`${name} does not close`);
    });
  return { closers, closed };
}

describe('closers', () => {
  test('close in reverse, each after the one before has ended', async () => {
    const closed: string[] = [];
    const closers = createClosers();
    closers.add(() => closed.push('first opened'));
    closers.add(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      closed.push('last opened');
    });
    await closers.close();
    expect(closed).toEqual(['last opened', 'first opened']);
  });

  test('close all the others when one fails, and then say so', async () => {
    const { closers, closed } = noted(['a', 'b', 'c'], ['b']);
    await expect(closers.close()).rejects.toThrow(new Error('b does not close'));
    expect(closed).toEqual(['c', 'b', 'a']);
  });

  test('keep every error when several fail', async () => {
    const { closers, closed } = noted(['a', 'b', 'c'], ['a', 'c']);
    await expect(closers.close()).rejects.toMatchObject({
      message: '2 parts did not close',
      errors: [new Error('c does not close'), new Error('a does not close')],
    });
    expect(closed).toEqual(['c', 'b', 'a']);
  });

  test('treat one that throws at once like one that fails later', async () => {
    const { closers, closed } = noted(['a']);
    closers.add(() => {
      throw new Error('at once');
    });
    await expect(closers.close()).rejects.toThrow(new Error('at once'));
    expect(closed).toEqual(['a']);
  });

  test('close once, however often they are called, and give the same outcome', async () => {
    const { closers, closed } = noted(['a', 'b'], ['b']);
    const [first, meanwhile] = await Promise.allSettled([closers.close(), closers.close()]);
    const [later] = await Promise.allSettled([closers.close()]);
    expect([meanwhile, later]).toEqual([first, first]);
    expect(closed).toEqual(['b', 'a']);
  });
});

describe('a start', () => {
  test('that succeeds closes nothing', async () => {
    const closed: string[] = [];
    const value = await startOrClose(
      async (closers) => {
        closers.add(() => closed.push('a'));
        return 'started';
      },
      () => undefined,
    );
    expect(value).toBe('started');
    expect(closed).toEqual([]);
  });

  test('that fails undoes its earlier steps and throws its own error', async () => {
    const closed: string[] = [];
    const closeErrors: unknown[] = [];
    const started = startOrClose(
      async (closers) => {
        closers.add(() => closed.push('a'));
        closers.add(() => Promise.reject(new Error('b does not close')));
        throw new Error('no start');
      },
      (error) => closeErrors.push(error),
    );
    await expect(started).rejects.toThrow(new Error('no start'));
    expect(closed).toEqual(['a']);
    expect(closeErrors).toEqual([new Error('b does not close')]);
  });
});

test('closing several together waits for all, also when one fails', async () => {
  const closed: string[] = [];
  const slow = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    closed.push('slow');
  };
  const failing = (): never => {
    throw new Error('does not close');
  };
  await expect(closeTogether([failing, slow])).rejects.toThrow(new Error('does not close'));
  expect(closed).toEqual(['slow']);
});
