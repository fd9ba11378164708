import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
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

/** Starts an API and stops it. @returns the files that it had loaded */
async function loadedBy(environment: Record<string, string>): Promise<string[]> {
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
  return (await readFile(list, 'utf8'))
    .split('\n')
    .filter((url) => url.startsWith('file:'))
    .map((url) => fileURLToPath(url));
}

/** The packages of which a file was loaded. The bundle has others. */
const packagesOf = (files: readonly string[]): string[] =>
  files.flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []);

/** Tells whether a file of the bundle was loaded that has the code of bull-board. */
const hasBoard = (files: readonly string[]): boolean =>
  files.some((file) => file.includes('/dist/bundle/') && readFileSync(file, 'utf8').includes('BullMQAdapter'));

const optional = ['@opentelemetry/api', '@opentelemetry/sdk-trace-base', '@sentry/node'];

test('traces, error reports and the queue page load nothing while they are off, and their packages when they are on', async () => {
  const off = await loadedBy({});
  expect(off.length).toBeGreaterThan(10);
  expect(packagesOf(off).filter((name) => /opentelemetry|sentry/.test(name))).toEqual([]);
  expect(hasBoard(off)).toBe(false);
  const { url } = await startReceiver();
  const on = await loadedBy({
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    SENTRY_DSN: `${url.replace('http://', 'http://key@')}/1`,
    QUEUE_PAGE_ORGANIZATION: 'operators',
  });
  expect(optional.filter((name) => !packagesOf(on).includes(name))).toEqual([]);
  expect(hasBoard(on)).toBe(true);
});

test('a package that is not installed refuses the start in one line that names it', async () => {
  const load = loadOptional(() => import('no-such-package' as string), 'SENTRY_DSN', ['@sentry/node']);
  await expect(load).rejects.toThrow('SENTRY_DSN needs packages that are not installed: npm install @sentry/node');
});
