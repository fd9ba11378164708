import type { Redis } from 'ioredis';
import { expect, test, vi } from 'vitest';
import { startWorkers } from '../../workers/index.js';
import { startSystem } from '../support/system.js';

const { app } = await startSystem({ worker: false });

test.each([2, 4, 6])('workers that fail to open connection number %i close all others', async (refused) => {
  const opened: Redis[] = [];
  const { connectRedis } = app;
  const connect = vi.spyOn(app, 'connectRedis').mockImplementation((...request) => {
    if (opened.length === refused - 1) throw new Error('no more connections');
    const redis = connectRedis(...request);
    opened.push(redis);
    return redis;
  });
  await expect(startWorkers(app)).rejects.toThrow(new Error('no more connections'));
  connect.mockRestore();
  expect(opened).toHaveLength(refused - 1);
  await expect.poll(() => opened.map(({ status }) => status)).toEqual(opened.map(() => 'end'));
});
