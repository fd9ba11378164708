import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { loadOptional } from '../../src/process/optional-package.js';
import { namespace } from '../support/namespace.js';
import { startReceiver } from '../support/receiver.js';
import { cli } from '../support/run-command.js';
import { settingsFor } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** Starts an API, stops it, and gives the packages whose modules it had loaded. */
async function packagesOf(environment: Record<string, string>): Promise<Set<string>> {
  const list = join(await temporaryDirectory(), 'modules');
  const preload = fileURLToPath(new URL('../fixtures/list-modules.mjs', import.meta.url));
  const child = spawn(process.execPath, ['--import', preload, cli, 'api'], {
    env: { PATH: process.env.PATH, ...settingsFor(namespace()), ...environment, MODULE_LIST: list },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  const names = (await readFile(list, 'utf8')).matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)\//g);
  return new Set([...names].map(([, name]) => name!));
}

const optional = ['@opentelemetry/api', '@opentelemetry/sdk-trace-base', '@sentry/node', '@bull-board/api'];

test('traces, error reports and the queue page load nothing while they are off, and their packages when they are on', async () => {
  const off = await packagesOf({});
  expect(off).toContain('fastify');
  expect([...off].filter((name) => /opentelemetry|sentry|bull-board/.test(name))).toEqual([]);
  const { url } = await startReceiver();
  const on = await packagesOf({
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    SENTRY_DSN: `${url.replace('http://', 'http://key@')}/1`,
    QUEUE_PAGE_ORGANIZATION: 'operators',
  });
  expect(optional.filter((name) => !on.has(name))).toEqual([]);
});

test('a package that is not installed refuses the start in one line that names it', async () => {
  const load = loadOptional(() => import('no-such-package' as string), 'SENTRY_DSN', ['@sentry/node']);
  await expect(load).rejects.toThrow('SENTRY_DSN needs packages that are not installed: npm install @sentry/node');
});
