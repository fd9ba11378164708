/** Covers workers/backups.ts, src/monitoring/backup-metrics.ts, src/process/own-command.ts. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { Queue } from 'bullmq';
import { expect, onTestFinished, test, vi } from 'vitest';
import { lastBackups } from '../../src/backup/backup-records.js';
import { startServerProcess } from '../../src/commands/server-process.js';
import { freePort } from '../support/free-port.js';
import { readMetrics } from '../support/metrics.js';
import { scored } from '../support/scenario.js';
import { settingsFor, startSystem } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { ensureSchedule } from '../../workers/backups.js';

test('a worker makes backups on a schedule, tries them, and tells their age; a stop leaves nothing of a drill', async () => {
  const directory = await temporaryDirectory();
  const system = await startSystem();
  await scored(await system.client('CLINICIAN'));
  const { app, url } = system;
  await expect
    .poll(async () => (await fetch(`${url}/metrics`)).text())
    .toMatch(/^riskgraph_backup_age_seconds \+Inf$/m);
  const identity = await generateX25519Identity();
  const METRICS_PORT = String(await freePort());
  const worker = await startServerProcess('worker', {
    ...settingsFor(app.config),
    METRICS_PORT,
    TMPDIR: directory,
    BACKUP_TARGET: join(directory, 'backups'),
    BACKUP_RECIPIENTS: await identityToRecipient(identity),
    BACKUP_IDENTITY: identity,
    // Each second, with the sixth field that BullMQ knows too.
    BACKUP_SCHEDULE: '* * * * * *',
  });
  onTestFinished(() => worker.stop());
  await expect.poll(async () => (await lastBackups(app.models)).restored, { timeout: 80_000 }).toBeDefined();
  expect(await readdir(join(directory, 'backups'))).toContainEqual(expect.stringMatching(/\.tar\.gz\.age$/));
  await expect
    .poll(async () =>
      (await readMetrics(`http://127.0.0.1:${METRICS_PORT}/metrics`)).get('riskgraph_backup_restore_seconds'),
    )
    .toBeGreaterThan(0);
  await worker.stop();
  expect((await readdir(directory)).filter((name) => name.startsWith('riskgraph-drill-'))).toEqual([]);
});

test('a check of the schedule removes no backup that is overdue', async () => {
  const { app } = await startSystem({ worker: false });
  const connection = app.connectRedis('failing-fast');
  const queue = new Queue('backups', { connection, prefix: app.config.redisPrefix });
  onTestFinished(async () => {
    await queue.close();
    connection.disconnect();
  });
  await ensureSchedule(queue, '0 2 * * *');
  const [due] = await queue.getJobs(['delayed']);
  vi.useFakeTimers({ toFake: ['Date'], now: due!.timestamp + due!.delay + 3_600_000 });
  onTestFinished(() => void vi.useRealTimers());
  await ensureSchedule(queue, '0 2 * * *');
  expect((await queue.getJobs(['delayed'])).map(({ id }) => id)).toEqual([due!.id]);
});
