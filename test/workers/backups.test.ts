/** Covers workers/backups.ts, src/monitoring/backup-metrics.ts, src/process/own-command.ts. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { Queue } from 'bullmq';
import { expect, onTestFinished, test, vi } from 'vitest';
import { lastBackups } from '../../src/backup/backup-records.js';
import { startServerProcess } from '../../src/commands/server-process.js';
import { createLogger } from '../../src/process/logger.js';
import { freePort } from '../support/free-port.js';
import { readMetrics } from '../support/metrics.js';
import { runCommand } from '../support/run-command.js';
import { scored } from '../support/scenario.js';
import { settingsFor, startSystem } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { ensureSchedule } from '../../workers/backups.js';
import { startWorkers } from '../../workers/index.js';

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

test.each<[Record<string, string>, RegExp]>([
  [{}, /^BACKUP_RECIPIENTS is not set: name the public key that backups are encrypted to/],
  [{ BACKUP_RECIPIENTS: 'age1nonsense' }, /^BACKUP_RECIPIENTS must be public keys of age/],
  [{ BACKUP_IDENTITY: 'nonsense' }, /^The private key of the backup is not one of age/],
  [{ BACKUP_TARGET: 's3://hospital' }, /^BACKUP_TARGET is in S3: set BACKUP_S3_ACCESS_KEY_ID/],
])('a worker and config check refuse %j, with which no backup could be made', async (wrong, message) => {
  const right = await identityToRecipient(await generateX25519Identity());
  const recipients: Record<string, string> = message.source.includes('RECIPIENTS') ? {} : { BACKUP_RECIPIENTS: right };
  const environment: Record<string, string> = {
    BACKUP_TARGET: join(await temporaryDirectory(), 'backups'),
    ...recipients,
    ...wrong,
  };
  const { app } = await startSystem({ worker: false, environment });
  await expect(startWorkers(app)).rejects.toThrow(message);
  const { code, output } = await runCommand(['config', 'check'], { ...settingsFor(app.config), ...environment });
  expect([code, output.match(/^FAIL.*/gm)]).toEqual([
    1,
    [expect.stringMatching(/^FAIL backup (recipients|identity|target): .{20}/)],
  ]);
});

test('a run that fails before it can record anything is on record, and the log has its reason', async () => {
  const directory = await temporaryDirectory();
  const lines: object[] = [];
  const logger = Object.assign(createLogger('warn', 'test'), {
    error: (fields: object, message: string) => lines.push({ ...fields, message }),
  });
  const { app } = await startSystem({
    logger,
    environment: {
      BACKUP_TARGET: join(directory, 'backups'),
      BACKUP_RECIPIENTS: await identityToRecipient(await generateX25519Identity()),
      BACKUP_SCHEDULE: '* * * * * *',
    },
  });
  // The command of this worker has the settings of the test's process, which name no place.
  const reason = expect.stringMatching(/^There is no place for backups: set BACKUP_TARGET/);
  await expect
    .poll(() => lines, { timeout: 60_000 })
    .toContainEqual(expect.objectContaining({ message: 'a backup failed', reason }));
  expect((await lastBackups(app.models)).newest).toMatchObject({ state: 'FAILED', failure: reason });
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
