import { expect, test } from 'vitest';

import type { ChildExit } from '../../src/embedded/child-exit.js';
import type { Engine } from '../../src/embedded/engine.js';
import { supervise, type UnexpectedExit } from '../../src/embedded/supervisor.js';

/** An engine that ends when the test says so. */
function engine(pid: number): Engine & { die(): void } {
  let end!: (exit: ChildExit) => void;
  const exited = new Promise<ChildExit>((resolve) => {
    end = resolve;
  });
  return {
    url: 'redis://example',
    pid,
    exited,
    stop: async () => end({ code: 0, signal: null }),
    die: () => end({ code: 1, signal: null }),
  };
}

test('a failed restart is tried again, each time after a longer wait', async () => {
  const [first, last] = [engine(1), engine(2)];
  const outcomes: (Engine | Error)[] = [first, new Error('port taken'), last];
  const asked: boolean[] = [];
  const events: UnexpectedExit[] = [];
  const supervised = await supervise(
    'redis',
    async (again) => {
      asked.push(again);
      const outcome = outcomes.shift()!;
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    (event) => events.push(event),
  );
  first.die();
  await expect.poll(() => supervised.pid()).toBe(2);
  expect(events).toEqual([
    { engine: 'redis', reason: 'ended with exit code 1', restartInMs: 100 },
    { engine: 'redis', reason: 'port taken', restartInMs: 200 },
  ]);
  expect(asked).toEqual([false, true, true]);
  await supervised.stop();
  expect(events).toHaveLength(2);
});

test('a stop during the wait for a restart ends it', async () => {
  const only = engine(1);
  let starts = 0;
  const events: UnexpectedExit[] = [];
  const supervised = await supervise(
    'mongodb',
    async () => {
      starts += 1;
      return only;
    },
    (event) => events.push(event),
  );
  only.die();
  await expect.poll(() => events.length).toBe(1);
  await supervised.stop();
  expect(starts).toBe(1);
});

test('a first start that fails rejects to the caller', async () => {
  await expect(
    supervise(
      'redis',
      () => Promise.reject(new Error('no')),
      () => undefined,
    ),
  ).rejects.toThrow('no');
});

test('a replacement serves before the process in its place leaves, and is watched like it', async () => {
  const engines = [engine(1), engine(2), engine(3)];
  const steps: string[] = [];
  const events: UnexpectedExit[] = [];
  const waiting = [...engines];
  const supervised = await supervise(
    'api',
    async () => {
      const next = waiting.shift()!;
      steps.push(`${next.pid} serves`);
      return { ...next, leave: async () => (steps.push(`${next.pid} leaves`), next.stop()) };
    },
    (event) => events.push(event),
  );
  await supervised.replace();
  expect(steps).toEqual(['1 serves', '2 serves', '1 leaves']);
  expect(events).toEqual([]);
  engines[1]!.die();
  await expect.poll(() => supervised.pid()).toBe(3);
  expect(events).toMatchObject([{ reason: 'ended with exit code 1' }]);
  await supervised.stop();
});

test('a replacement that does not start leaves the process that runs', async () => {
  const only = engine(1);
  const outcomes: (Engine | Error)[] = [only, new Error('wrong key')];
  const supervised = await supervise(
    'api',
    async () => {
      const outcome = outcomes.shift()!;
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    () => undefined,
  );
  await expect(supervised.replace()).rejects.toThrow('wrong key');
  expect(supervised.pid()).toBe(1);
  await supervised.stop();
});

test('a process that dies while its replacement starts is not started twice', async () => {
  const engines = [engine(1), engine(2), engine(3)];
  const waiting = [...engines];
  let begin = (): void => undefined;
  const supervised = await supervise(
    'api',
    async (again) => {
      const next = waiting.shift()!;
      if (again && next.pid === 2) await new Promise<void>((resolve) => (begin = resolve));
      return next;
    },
    () => undefined,
  );
  const replaced = supervised.replace();
  engines[0]!.die();
  await expect.poll(() => supervised.pid()).toBe(3);
  begin();
  await replaced;
  expect(supervised.pid()).toBe(2);
  expect(await engines[2]!.exited).toEqual({ code: 0, signal: null });
  await supervised.stop();
});
