import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';

import { expect, onTestFinished, test } from 'vitest';

import { freePort } from '../support/free-port.js';
import { healthcheck } from '../support/healthcheck.js';

test.each([
  ['api', 'API', 'PORT'],
  ['worker', 'worker', 'METRICS_PORT'],
])(
  'the %s is healthy while its readiness check passes, and its reason is printed when not',
  async (role, name, port) => {
    let status = 200;
    const server = createServer((request, response) => {
      response.writeHead(request.url === '/health/ready' ? status : 404);
      response.end(status === 200 ? '{}' : '{"reasons":{"redis":"Redis does not answer."}}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const environment = { [port]: String((server.address() as AddressInfo).port) };
    expect(await healthcheck(role, environment)).toEqual({ code: 0, said: '' });
    status = 503;
    expect(await healthcheck(role, environment)).toEqual({
      code: 1,
      said: `unhealthy: the ${name} answers 503: Redis does not answer.`,
    });
  },
);

// 127.0.0.2 is another address of this machine than 127.0.0.1, as a private one is.
const hosts = ['127.0.0.2', '0.0.0.0', '0', '::', '0:0:0:0:0:0:0:0', '::1', 'localhost'];

test.each(hosts)('a process that listens on %s is asked where it listens', async (host) => {
  const reached: string[] = [];
  const server = createServer((_request, response) => response.end('{}')).listen(0, host);
  server.on('connection', ({ localAddress }: Socket) => reached.push(localAddress!));
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const port = String((server.address() as AddressInfo).port);
  const environments: [string, Record<string, string>][] = [
    ['api', { HOST: host, PORT: port }],
    ['worker', { METRICS_HOST: host, METRICS_PORT: port }],
  ];
  for (const [role, environment] of environments)
    expect([role, await healthcheck(role, environment)]).toEqual([role, { code: 0, said: '' }]);
  expect(reached).toHaveLength(2);
});

test('an empty variable counts as unset, as for the process itself', async () => {
  const server = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const PORT = String((server.address() as AddressInfo).port);
  expect(await healthcheck('api', { HOST: '', PORT })).toEqual({ code: 0, said: '' });
});

test('a process that does not answer is unhealthy', async () => {
  const METRICS_PORT = String(await freePort());
  expect(await healthcheck('worker', { METRICS_PORT })).toEqual({
    code: 1,
    said: `unhealthy: the worker does not answer on port ${METRICS_PORT} of 127.0.0.1`,
  });
});

test('an unknown role is unhealthy, and the output names the known roles', async () => {
  expect(await healthcheck('queen', {})).toEqual({
    code: 1,
    said: 'unhealthy: usage: healthcheck.mjs api|worker [--wait SECONDS]',
  });
});
