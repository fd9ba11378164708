import { expect, onTestFinished, test } from 'vitest';
import { startServerProcess } from '../../src/commands/server-process.js';
import { liveWorkers } from '../../src/monitoring/heartbeats.js';
import { startWorkers } from '../../workers/index.js';
import { createWorkPulse } from '../../workers/work-pulse.js';
import { freePort } from '../support/free-port.js';
import { healthcheck } from '../support/healthcheck.js';
import { scored } from '../support/scenario.js';
import { settingsFor, startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { config, models } = system.app;
const health = async () => {
  const response = await fetch(`${system.url}/health`);
  return { code: response.status, ...((await response.json()) as object) };
};

test('the API is unhealthy while no worker is alive, and ready all the same', async () => {
  const without = { code: 503, status: 'down', dependencies: { workers: 'down', redis: 'up' } };
  await expect.poll(health).toMatchObject(without);
  expect((await fetch(`${system.url}/health/ready`)).status).toBe(200);
  const workers = await startWorkers(system.app);
  await expect.poll(health).toMatchObject({ code: 200, status: 'up', dependencies: { workers: 'up' } });
  await scored(await system.client('CLINICIAN'));
  await workers.close();
  await expect.poll(health).toMatchObject(without);
});

test('a worker that is silent for 20 s is not alive, and after an hour its sign is gone', async () => {
  const sign = (_id: string, ageMs: number) =>
    models.workerHeartbeats.collection.insertOne({
      _id: _id as never,
      beatAt: new Date(Date.now() - ageMs),
      running: 0,
    });
  await sign('silent', 25_000);
  await sign('forgotten', 3_700_000);
  expect(await liveWorkers(models)).toEqual([]);
  const workers = await startWorkers(system.app);
  onTestFinished(() => workers.close());
  await expect.poll(() => liveWorkers(models)).toMatchObject([{ running: 0, stepAgeMs: undefined }]);
  await expect.poll(() => models.workerHeartbeats.countDocuments({ _id: 'forgotten' })).toBe(0);
  expect(await models.workerHeartbeats.countDocuments({ _id: 'silent' })).toBe(1);
});

test('the health check of a container is red for a frozen worker, and green for a working one', async () => {
  const METRICS_PORT = String(await freePort());
  const worker = await startServerProcess('worker', { ...settingsFor(config), METRICS_PORT });
  onTestFinished(() => worker.stop());
  expect(await healthcheck('worker', { METRICS_PORT })).toEqual({ code: 0, said: '' });
  process.kill(worker.pid, 'SIGSTOP');
  expect(await healthcheck('worker', { METRICS_PORT })).toEqual({
    code: 1,
    said: `unhealthy: the worker does not answer on port ${METRICS_PORT} of 127.0.0.1`,
  });
  process.kill(worker.pid, 'SIGCONT');
  await expect.poll(() => healthcheck('worker', { METRICS_PORT })).toEqual({ code: 0, said: '' });
});

test('an API and a worker on an address of their own are healthy', async () => {
  for (const [role, hosts] of [
    ['api', { HOST: '127.0.0.2' }],
    ['worker', { METRICS_HOST: '127.0.0.2' }],
  ] as const) {
    const port = String(await freePort());
    const environment = {
      ...settingsFor(config),
      ...hosts,
      ...(role === 'api' ? { PORT: port } : { METRICS_PORT: port }),
    };
    const child = await startServerProcess(role, environment);
    onTestFinished(() => child.stop());
    expect([role, await healthcheck(role, environment)]).toEqual([role, { code: 0, said: '' }]);
  }
});

test.each(['worker', 'api'] as const)('a frozen %s is killed by its supervisor, which starts another', async (name) => {
  const child = await startServerProcess(name, settingsFor(config), { silentSeconds: 5 });
  onTestFinished(() => child.stop());
  process.kill(child.pid, 'SIGSTOP');
  expect(await child.exited).toMatchObject({
    signal: 'SIGKILL',
    reason: 'gave no sign of life for 5 s and was killed',
  });
});

test('work that takes ten minutes is stuck, and other work beside it changes nothing about that', async () => {
  let now = 0;
  const pulse = createWorkPulse(() => now);
  expect(pulse.state()).toEqual({ running: 0, stepAgeMs: undefined });
  let end = (): void => undefined;
  const hanging = pulse.run(() => new Promise<void>((resolve) => (end = resolve)));
  now = 599_000;
  await pulse.run(async () => undefined);
  expect([pulse.isStuck(), pulse.state()]).toEqual([false, { running: 1, stepAgeMs: 0 }]);
  now = 601_000;
  expect([pulse.isStuck(), pulse.state()]).toEqual([true, { running: 1, stepAgeMs: 2_000 }]);
  end();
  await hanging;
  expect([pulse.isStuck(), pulse.state()]).toEqual([false, { running: 0, stepAgeMs: 0 }]);
});
