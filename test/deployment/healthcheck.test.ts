import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { expect, inject, onTestFinished, test } from 'vitest';

/** Runs the container's health check. @returns its exit code and its output */
function healthcheck(role: string, environment: Record<string, string>): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['ops/healthcheck.mjs', role], { env: environment }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, said: (stdout + stderr).trim() });
    });
  });
}

test('a worker is healthy while MongoDB and Redis answer', async () => {
  const databases = { MONGO_URI: inject('mongoUri'), REDIS_URL: inject('redisUrl') };
  expect(await healthcheck('worker', databases)).toEqual({ code: 0, said: '' });
  expect(await healthcheck('worker', { ...databases, REDIS_URL: 'redis://:hidden@127.0.0.1:1' })).toEqual({
    code: 1,
    said: 'unhealthy: Redis does not answer',
  });
  expect(await healthcheck('worker', { ...databases, MONGO_URI: 'mongodb://riskgraph:hidden@127.0.0.1:1/' })).toEqual({
    code: 1,
    said: 'unhealthy: MongoDB does not answer',
  });
});

test('the API is healthy while its readiness check passes', async () => {
  let status = 200;
  const api = createServer((request, response) => {
    response.writeHead(request.url === '/health/ready' ? status : 404).end();
  }).listen(0, '127.0.0.1');
  await once(api, 'listening');
  onTestFinished(() => void api.close());
  const PORT = String((api.address() as AddressInfo).port);
  expect(await healthcheck('api', { PORT })).toEqual({ code: 0, said: '' });
  status = 503;
  expect(await healthcheck('api', { PORT })).toEqual({ code: 1, said: 'unhealthy: the API answers 503' });
});

test('an unknown role is unhealthy, and the output names the known roles', async () => {
  expect(await healthcheck('queen', {})).toEqual({ code: 1, said: 'unhealthy: usage: healthcheck.mjs api|worker' });
});
