import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import {
  CreatePatientDocument,
  PatientDocument,
  ScoringJobDocument,
  SubmitScoringJobDocument,
} from '../../src/client/generated/graphql.js';
import { apiClient } from '../../src/commands/api-client.js';
import { startRedis } from '../../src/embedded/embedded-redis.js';
import { findOnPath } from '../../src/embedded/path-search.js';
import { atEnd } from '../support/at-end.js';
import { fillDisk, makeRoom } from '../support/full-disk.js';
import { modelId, newPatient } from '../support/heart-disease.js';
import { namespace } from '../support/namespace.js';
import { cli, runCommand } from '../support/run-command.js';
import { ended, patient, submit } from '../support/scenario.js';
import { settingsFor, startSystem } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** The codes of an error of the client; undefined for success. */
const codeOf = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: { code?: string }) => error.code ?? String(error),
  );

test(
  'on a full disk of MongoDB callers get SERVICE_UNAVAILABLE, and all that was accepted is there when there is room',
  {
    timeout: 120_000,
  },
  async () => {
    const { mongoUri: _, ...databases } = namespace();
    const settings = { ...settingsFor(databases), DATA_DIRECTORY: await temporaryDirectory() };
    const up = spawn(process.execPath, [cli, 'up'], {
      env: { PATH: process.env.PATH, TMPDIR: process.env.TMPDIR, ...settings } as NodeJS.ProcessEnv,
    });
    const exited = once(up, 'exit');
    onTestFinished(async () => {
      up.kill('SIGTERM');
      await exited;
    });
    let errors = '';
    up.stderr.on('data', (text: Buffer) => (errors += text.toString()));
    const [line] = (await once(up.stdout, 'data')) as [Buffer];
    const url = /is up: (\S+)\/graphql/.exec(line.toString())![1]!;
    const token = (await runCommand(['token', '--role', 'CLINICIAN'], settings)).output.trim().split('\n').at(-1)!;
    const client = apiClient(url, token);
    onTestFinished(() => client.close());

    const first = await patient(client);
    const job = await submit(client, { patientId: first.id });
    expect(await ended(client, job.id)).toMatchObject({ state: 'COMPLETED' });
    const accepted = [first.id];
    const create = async (): Promise<void> => {
      accepted.push((await client.request(CreatePatientDocument, { input: newPatient() })).createPatient.id);
    };

    fillDisk(up.pid!);
    await expect.poll(() => codeOf(create()), { timeout: 30_000 }).toBe('SERVICE_UNAVAILABLE');
    const waiting = { modelId, patientId: first.id };
    const refused = [create(), client.request(SubmitScoringJobDocument, { input: waiting })];
    expect(await Promise.all(refused.map(codeOf))).toEqual(['SERVICE_UNAVAILABLE', 'SERVICE_UNAVAILABLE']);
    await expect.poll(() => errors, { timeout: 30_000 }).toMatch(/^mongodb .*: it will start again in \d+ ms$/m);

    makeRoom(up.pid!);
    await expect.poll(() => codeOf(create()), { timeout: 60_000, interval: 200 }).toBeUndefined();
    for (const id of accepted) expect((await client.request(PatientDocument, { id })).patient).toMatchObject({ id });
    expect((await client.request(ScoringJobDocument, { id: job.id })).scoringJob).toMatchObject({ state: 'COMPLETED' });
    const { id } = await submit(client, { patientId: first.id });
    expect(await ended(client, id)).toMatchObject({ state: 'COMPLETED' });
    expect(await runCommand(['audit', 'verify'], settings)).toMatchObject({ code: 0 });
  },
);

test('on a full disk of Redis jobs are accepted, and run when there is room again', { timeout: 120_000 }, async () => {
  // The signal of the limit would end Redis. A write to a full disk sends none.
  const programs = await temporaryDirectory();
  const program = join(programs, 'redis-server');
  await writeFile(program, `#!/bin/sh\ntrap '' XFSZ\nexec ${findOnPath('redis-server')!} "$@"\n`);
  await chmod(program, 0o755);
  const engine = await startRedis(await temporaryDirectory(), { searchPath: programs });
  atEnd(() => engine.stop());
  const operator = new Redis(engine.url);
  atEnd(() => operator.disconnect());
  const system = await startSystem({ environment: { REDIS_URL: engine.url, RECONCILE_INTERVAL_MS: '200' } });
  const client = await system.client('CLINICIAN');
  const { id: patientId } = await patient(client);

  fillDisk(engine.pid);
  const refusal = () =>
    operator.set('anything', '1').then(
      () => '',
      (error: Error) => error.message,
    );
  await expect.poll(refusal, { timeout: 30_000 }).toMatch(/^MISCONF /);
  const jobs = [await submit(client, { patientId }), await submit(client, { all: true })];
  for (const { id } of jobs)
    expect((await client.request(ScoringJobDocument, { id })).scoringJob).toMatchObject({ state: 'QUEUED' });

  makeRoom(engine.pid);
  for (const { id } of jobs) expect(await ended(client, id)).toMatchObject({ state: 'COMPLETED' });
});
