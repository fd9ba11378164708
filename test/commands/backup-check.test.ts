/** Covers src/commands/backup-check.ts. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCommand } from '../support/run-command.js';
import { settingsFor, startSystem } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

test('verify says how old the last backup is', async () => {
  const own = await startSystem({ worker: false });
  const { backups } = own.app.models;
  const environment = { ...settingsFor(own.app.config), RISKGRAPH_TOKEN: await own.token('ADMIN') };
  const ask = async (...more: string[]) =>
    (await runCommand(['verify', '--url', own.url, '--read-only', ...more], environment)).output.match(
      /^.*last backup.*$/m,
    )?.[0];
  const begun = (hours: number) => new Date(Date.now() - hours * 3_600_000);
  await backups.collection.insertOne({ _id: 'older', state: 'COMPLETED', begunAt: begun(30) } as never);
  await backups.collection.insertOne({ _id: 'newer', state: 'FAILED', failure: 'full', begunAt: begun(2) } as never);
  expect(await ask('--backup-hours', '31')).toBe(
    'ok   the last backup is young enough: older, 30.0 hours old; the newest one failed: full; its file was not looked for, because BACKUP_TARGET is not set here',
  );
  expect(await ask()).toBe(
    'FAIL the last backup is young enough: the last one is 30.0 hours old; the newest one failed: full: look into the log of the workers',
  );
});

test('verify says that the last backup is no longer in its place', async () => {
  const own = await startSystem({ worker: false });
  await own.app.models.backups.collection.insertOne({ _id: 'a', state: 'COMPLETED', begunAt: new Date() } as never);
  const BACKUP_TARGET = await temporaryDirectory();
  const environment = { ...settingsFor(own.app.config), RISKGRAPH_TOKEN: await own.token('ADMIN'), BACKUP_TARGET };
  const ask = async () =>
    (await runCommand(['verify', '--url', own.url, '--read-only'], environment)).output.match(
      /^.*last backup.*$/m,
    )?.[0];
  expect(await ask()).toBe(
    `FAIL the last backup is young enough: the last one, a, is not in ${BACKUP_TARGET}: mount its disk or bring the file back, else run "riskgraph backup create"`,
  );
  await writeFile(join(BACKUP_TARGET, 'a.tar.gz.age'), '');
  expect(await ask()).toBe(`ok   the last backup is young enough: a, 0.0 hours old, in ${BACKUP_TARGET}`);
});
