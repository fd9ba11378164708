import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isRunning } from '../support/is-running.js';
import { namespace } from '../support/namespace.js';
import { childrenOf, freePorts, startGroup } from '../support/process-group.js';
import { settingsFor } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** Asks a page. @returns its status; the code of the error when there is no answer */
const statusOf = (url: string, agent: Agent | false = false): Promise<number | string> =>
  new Promise((resolve) => {
    get(url, { agent }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode!));
    }).on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });

/** Asks again and again, over new connections and over ones that stay, until the work is done. @returns the other statuses */
async function failuresDuring(url: string, work: () => Promise<unknown>): Promise<(number | string)[]> {
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  let done = false;
  const failures: (number | string)[] = [];
  async function ask(own: Agent | false): Promise<void> {
    while (!done) {
      const status = await statusOf(`${url}/health/live`, own);
      // Its answer would be the same as that of a caller that asks too often.
      if (status !== 200 && status !== 429) failures.push(status);
    }
  }
  const asking = [ask(false), ask(false), ask(agent), ask(agent)];
  await work();
  done = true;
  await Promise.all(asking);
  return failures;
}

// Processes start again and again, which takes long on a busy machine.
const timeout = 300_000;

test('SIGHUP while the processes still start ends nothing: they are replaced after it', { timeout }, async () => {
  let starting: number[] = [];
  const group = await startGroup(['api', '--processes', '2'], settingsFor(namespace()), async (pid) => {
    await expect.poll(() => (starting = childrenOf(pid)).length, { interval: 5, timeout }).toBe(2);
    process.kill(pid, 'SIGHUP');
  });
  await expect
    .poll(() => group.members().length === 2 && !group.members().some((pid) => starting.includes(pid)), { timeout })
    .toBe(true);
  process.kill(group.pid, 'SIGTERM');
  expect(await group.exited).toMatchObject({ code: 0 });
});

test(
  'API processes share a port: one that dies is started again, SIGHUP replaces all, SIGTERM ends all',
  { timeout },
  async () => {
    const METRICS_PORT = await freePorts(2);
    const group = await startGroup(['api', '--processes', '2'], {
      ...settingsFor(namespace()),
      METRICS_PORT: String(METRICS_PORT),
    });
    const first = group.members();
    expect(first).toHaveLength(2);
    for (const port of [METRICS_PORT, METRICS_PORT + 1])
      expect(await statusOf(`http://127.0.0.1:${port}/metrics`)).toBe(200);

    process.kill(first[0]!, 'SIGKILL');
    await expect.poll(() => group.members().filter((pid) => !first.includes(pid))).toHaveLength(1);
    // It serves again when its metrics do.
    for (const port of [METRICS_PORT, METRICS_PORT + 1])
      await expect.poll(() => statusOf(`http://127.0.0.1:${port}/health/live`)).toBe(200);

    const before = group.members();
    const failures = await failuresDuring(group.url, async () => {
      process.kill(group.pid, 'SIGHUP');
      await expect
        .poll(() => group.members().length === 2 && !group.members().some((pid) => before.includes(pid)), { timeout })
        .toBe(true);
    });
    expect(failures).toEqual([]);

    const members = group.members();
    process.kill(group.pid, 'SIGTERM');
    expect(await group.exited).toMatchObject({ code: 0 });
    for (const pid of members) expect(childrenOf(pid)).toEqual([]);
    expect(await statusOf(`${group.url}/health/live`)).toBe('ECONNREFUSED');
  },
);

test('each process of a group gets a signal about the log once', async () => {
  const LOG_FILE = join(await temporaryDirectory(), 'log');
  const group = await startGroup(['worker', '--processes', '2'], { ...settingsFor(namespace()), LOG_FILE });
  const levels = (): string[] =>
    [...readFileSync(LOG_FILE, 'utf8').matchAll(/"now":"(\w+)"/g)].map(([, level]) => level!);
  process.kill(group.pid, 'SIGUSR2');
  // Those of the two and of the first process.
  await expect.poll(() => levels().length, { timeout: 20_000 }).toBeGreaterThanOrEqual(3);
  process.kill(group.pid, 'SIGTERM');
  await group.exited;
  expect(levels()).toEqual(['debug', 'debug', 'debug']);
});

test('workers run side by side, and a second SIGTERM and Ctrl-C of a terminal end them with code 0', async () => {
  const METRICS_PORT = await freePorts(2);
  const group = await startGroup(['worker', '--processes', '2'], {
    ...settingsFor(namespace()),
    METRICS_PORT: String(METRICS_PORT),
  });
  for (const port of [METRICS_PORT, METRICS_PORT + 1])
    await expect.poll(() => statusOf(`http://127.0.0.1:${port}/health/ready`)).toBe(200);
  const [one, other] = group.members() as [number, number];
  // A terminal sends it to all of its processes.
  for (const pid of [one, other, group.pid]) process.kill(pid, 'SIGINT');
  process.kill(group.pid, 'SIGTERM');
  expect(await group.exited).toMatchObject({ code: 0 });
});

test('a start that fails gives the reason of its processes, and leaves none', async () => {
  const settings = { ...settingsFor(namespace()), ENCRYPTION_KEYS: 'not a key' };
  await expect(startGroup(['api', '--processes', '2'], settings)).rejects.toThrow(/^Configuration: /);
});

test('processes of a group end when the first one is killed', async () => {
  const group = await startGroup(['api', '--processes', '2'], settingsFor(namespace()));
  const members = group.members();
  process.kill(group.pid, 'SIGKILL');
  await group.exited;
  await expect.poll(() => members.filter(isRunning)).toEqual([]);
});
