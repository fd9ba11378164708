/** Covers src/audit/audit-writer.ts, src/audit/audit-chain.ts. */
// Threat: API processes append to one chain at the same time and die while they write. The chain then forks, has holes,
// or lacks an event whose effect a caller has seen.

import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { spawnEntry } from '../../src/embedded/spawn-entry.js';
import { patient } from '../support/scenario.js';
import { postBody, settingsFor, startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { config, models } = system.app;
const environment = settingsFor(config);
const cli = new URL('../../src/cli.js', import.meta.url);

/** Another API process on the same databases. */
async function startApi(): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const child = spawnEntry(cli, { args: ['api'], environment, stdio: { stdout: 'ignore', stderr: 'ignore' } });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [{ ready }] = (await once(child, 'message')) as [{ ready: string }];
  return { url: ready, child };
}

/** Reads the patient repeatedly, until the stop or the end of the process. @returns the number of answered reads */
async function readUntil(url: string, query: string, token: string, isOver: () => boolean): Promise<number> {
  let shown = 0;
  while (!isOver()) {
    const answer = await postBody<{ patient: object | null }>(url, JSON.stringify({ query }), token).catch(
      () => undefined,
    );
    if (!answer) return shown;
    if (answer.data?.patient) shown += 1;
  }
  return shown;
}

async function verify(): Promise<{ readonly code: number; readonly output: string }> {
  const child = spawnEntry(cli, {
    args: ['audit', 'verify', '--org', 'alpha'],
    environment,
    stdio: { stdout: 'pipe', stderr: 'inherit' },
  });
  let output = '';
  child.stdout!.on('data', (data: Buffer) => (output += data.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

// Shows: 164.312(b)
test('two processes write one chain, and it stays whole with every answered read when one is killed', async () => {
  const created = await patient(await system.client('CLINICIAN'));
  const token = await system.token('CLINICIAN');
  const query = `{ patient(id: "${created.id}") { id } }`;
  const reads = { action: 'patient:read', outcome: 'ALLOWED' } as const;
  const recorded = (): Promise<number> => models.auditEvents.countDocuments(reads);
  const [victim, survivor] = await Promise.all([startApi(), startApi()]);

  let isOver = false;
  const readers = [victim, survivor, victim, survivor, victim, survivor].map(({ url }) =>
    readUntil(url, query, token, () => isOver),
  );
  await expect.poll(recorded).toBeGreaterThan(100);
  victim.child.kill('SIGKILL');
  await once(victim.child, 'exit');
  const atDeath = await recorded();
  await expect.poll(recorded).toBeGreaterThan(atDeath + 50);
  isOver = true;
  const shown = (await Promise.all(readers)).reduce((sum, count) => sum + count, 0);

  // A read that ran at the kill may be recorded without an answer, but never answered without a record.
  const all = await recorded();
  expect(all).toBeGreaterThanOrEqual(shown);
  expect(all - shown).toBeLessThanOrEqual(3);
  const { code, output } = await verify();
  expect(output).toMatch(/^ok {3}alpha: \d+ events, anchor \d+:[0-9a-f]{64}\n$/);
  expect(code).toBe(0);
  const sequences = (await models.auditEvents.find({}, { sequence: 1 }).sort({ sequence: 1 }).lean()).map(
    ({ sequence }) => sequence,
  );
  expect(sequences).toEqual(sequences.map((_sequence, index) => index + 1));
});
