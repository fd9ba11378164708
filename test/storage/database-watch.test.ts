import { expect, inject, onTestFinished, test } from 'vitest';
import { answersNewConnection, isDatabaseOutage } from '../../src/storage/database.js';
import { watchDatabase } from '../../src/storage/database-watch.js';
import { proxyTo } from '../support/cuttable-proxy.js';

/** Watches with short times, and tells when the connections are broken for good. */
function watch(dependencies: Pick<Parameters<typeof watchDatabase>[0], 'ping' | 'answersNewConnection'>) {
  let stuck = false;
  const ended = new Promise<void>((resolve) => {
    const end = watchDatabase({
      ...dependencies,
      periodMs: 5,
      patienceMs: 50,
      onStuck() {
        stuck = true;
        resolve();
      },
    });
    onTestFinished(end);
  });
  return { ended, isStuck: () => stuck };
}

/** Counts calls, and tells when there were so many. */
function counted<T>(answer: () => Promise<T>, wanted: number) {
  let calls = 0;
  let done: () => void;
  const enough = new Promise<void>((resolve) => (done = resolve));
  const call = (): Promise<T> => {
    calls += 1;
    if (calls === wanted) done();
    return answer();
  };
  return { call, enough };
}

const away = (): Promise<never> => Promise.reject(new Error('away'));

test('connections that find no way back, while new ones work, are reported once', async () => {
  const { ended } = watch({ ping: away, answersNewConnection: async () => true });
  await ended;
});

test('an outage of the server is none', async () => {
  const asked = counted(async () => false, 5);
  const { isStuck } = watch({ ping: away, answersNewConnection: asked.call });
  await asked.enough;
  expect(isStuck()).toBe(false);
});

test('connections that found back while a new one was tried are kept', async () => {
  let isBack = false;
  const pings = counted(() => (isBack ? Promise.resolve() : away()), 200);
  const { isStuck } = watch({
    ping: pings.call,
    async answersNewConnection() {
      isBack = true;
      return true;
    },
  });
  await pings.enough;
  expect(isStuck()).toBe(false);
});

test('connections whose signs of life come late are kept: their operations wait for their turn', async () => {
  let isBack = false;
  const answers: (() => void)[] = [];
  const tried = counted(async () => (isBack = true), 5);
  const { ended, isStuck } = watch({
    // Each sign comes when the server was tried again.
    ping: () => (isBack ? new Promise<void>((resolve) => answers.push(resolve)) : away()),
    async answersNewConnection() {
      answers.splice(0).forEach((answer) => answer());
      return tried.call();
    },
  });
  await Promise.race([tried.enough, ended]);
  expect(isStuck()).toBe(false);
});

test('a new connection tells whether the server answers', async () => {
  const proxy = await proxyTo(inject('mongoUris')[0]!);
  onTestFinished(() => proxy.close());
  expect(await answersNewConnection(proxy.url)).toBe(true);
  proxy.cut();
  expect(await answersNewConnection(proxy.url)).toBe(false);
});

test('a connection that breaks while the driver writes to it is an outage', () => {
  for (const code of ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED'])
    expect(isDatabaseOutage(Object.assign(new Error('write failed'), { code }))).toBe(true);
  expect(isDatabaseOutage(Object.assign(new Error('no such file'), { code: 'ENOENT' }))).toBe(false);
});
