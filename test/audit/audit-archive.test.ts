import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Types } from 'mongoose';
import { expect, onTestFinished, test } from 'vitest';
import type { AuditHead } from '../../models/index.js';
import { archiveChains, type MadeArchive } from '../../src/audit/archive-chains.js';
import { readArchive } from '../../src/audit/audit-archive.js';
import type { ChainEnd } from '../../src/audit/audit-chain.js';
import { auditKeys, createAuditTrail } from '../../src/audit/audit-writer.js';
import type { AuditActor } from '../../src/audit/audit-trail.js';
import { firstGap, listArchives } from '../../src/audit/verify-archives.js';
import { verifyChains, type OrganizationReport } from '../../src/audit/verify-chains.js';
import { StartupError } from '../../src/errors.js';
import { runCommand, type Outcome } from '../support/run-command.js';
import { settingsFor, startSystem } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const system = await startSystem({ worker: false });
const { models, logger, config, protectionOf } = system.app;
const keyOf = auditKeys(protectionOf);
const actorOf = (organizationId: string): AuditActor => ({
  username: 'someone',
  organizationId,
  origin: { requestId: 'r', address: '127.0.0.1' },
});

/** Records events in the chain of an organization, and writes its head. */
async function record(slug: string, count: number): Promise<Types.ObjectId> {
  const organizationId = await system.organizationId(slug);
  const trail = createAuditTrail({ models, keyOf, logger });
  for (let index = 0; index < count; index += 1)
    await trail.record(actorOf(organizationId), {
      action: 'patient:read',
      outcome: 'ALLOWED',
      patientIds: [new Types.ObjectId().toHexString()],
      subject: { kind: 'USER', id: String(index) },
    });
  await trail.close();
  return new Types.ObjectId(organizationId);
}

async function archive(slug: string, directory: string, { before = new Date(), perFile = 100 } = {}) {
  const audit = createAuditTrail({ models, keyOf, logger });
  const made: MadeArchive[] = [];
  try {
    for await (const one of archiveChains({ models, keyOf, audit, actorOf, directory }, { before, slug, perFile }))
      made.push(one);
    return made;
  } finally {
    await audit.close();
  }
}

const verify = (slug: string, ...options: readonly string[]): Promise<Outcome> =>
  runCommand(['audit', 'verify', '--org', slug, ...options], settingsFor(config));
const stored = (organization: Types.ObjectId): Promise<number> => models.auditEvents.countDocuments({ organization });

test('old events move into files, and the chain is verified with the files and without them', async () => {
  const directory = await temporaryDirectory();
  const organization = await record('kept', 25);
  const before = new Date();
  await record('kept', 5);
  const { sequence, hash } = (await models.auditEvents.findOne({ organization, sequence: 7 }).lean())!;
  const made = await archive('kept', directory, { before, perFile: 10 });
  expect(made.map(({ file, events }) => [file, events])).toEqual([
    ['audit-kept-1-10.ndjson.gz', 10],
    ['audit-kept-11-20.ndjson.gz', 10],
    ['audit-kept-21-25.ndjson.gz', 5],
  ]);
  expect((await stat(join(directory, made[0]!.file))).mode & 0o777).toBe(0o600);
  // Five are younger, and each archive is on record.
  expect(await stored(organization)).toBe(8);
  expect(await archive('kept', directory, { before })).toEqual([]);

  const without = await verify('kept');
  expect(without).toMatchObject({
    code: 0,
    output: expect.stringMatching(/events 1 to 25 are in archives \(not checked\)/) as string,
  });
  const withThem = await verify('kept', '--archive', directory, '--anchor', `${sequence}:${hash}`);
  expect(
    withThem.output
      .trim()
      .split('\n')
      .map((line) => line.slice(0, 40)),
  ).toEqual([
    expect.stringMatching(/^ok {3}audit-kept-1-10\.ndjson\.gz: events /),
    expect.stringMatching(/^ok {3}audit-kept-11-20/),
    expect.stringMatching(/^ok {3}audit-kept-21-25/),
    expect.stringMatching(/^ok {3}kept: 8 events, anchor 33:/),
  ]);
  expect(withThem.code).toBe(0);
});

test('a missing archive, and an anchor that does not fit, are found', async () => {
  const directory = await temporaryDirectory();
  await record('gaps', 20);
  const made = await archive('gaps', directory, { perFile: 10 });
  const second = join(directory, made[1]!.file);
  const gap = await verify('gaps', '--archive', second);
  expect(gap).toMatchObject({
    code: 1,
    output: expect.stringContaining(`event 10: no archive ends with it, ${made[0]!.end.hash}`) as string,
  });
  const strange = await verify('gaps', '--archive', directory, '--anchor', `4:${'ab'.repeat(32)}`);
  expect(strange).toMatchObject({
    code: 1,
    output: expect.stringContaining('event 4: is not the event that was noted') as string,
  });
  const unseen = await verify('gaps', '--anchor', `4:${'ab'.repeat(32)}`);
  expect(unseen).toMatchObject({ code: 1, output: expect.stringContaining('event 4: is in an archive') as string });
});

test.each<[string, (bytes: Buffer) => Buffer, RegExp]>([
  ['is cut off', (bytes) => bytes.subarray(0, bytes.length - 20), /is no whole archive/],
  [
    'has a flipped bit',
    (bytes) => Buffer.from(bytes.map((byte, at) => (at === 200 ? byte ^ 4 : byte))),
    /is no whole archive/,
  ],
  ['lacks its last line', (bytes) => edit(bytes, (lines) => lines.slice(0, -1)), /its last line is missing/],
  ['lacks events at its end', (bytes) => edit(bytes, (lines) => lines.toSpliced(-3, 2)), /its seal does not fit/],
  ['is another file', () => Buffer.from('no archive'), /is no whole archive/],
])('an archive that %s is refused in one line', async (_what, damage, says) => {
  const directory = await temporaryDirectory();
  const slug = `damaged-${(damages += 1)}`;
  await record(slug, 10);
  const [made] = await archive(slug, directory);
  const path = join(directory, made!.file);
  await writeFile(path, damage(await readFile(path)));
  const refusal = await readArchive(path, keyOf).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(StartupError);
  expect((refusal as StartupError).message).toMatch(says);
  expect((refusal as StartupError).message).not.toContain('\n');
});
let damages = 0;

function edit(bytes: Buffer, change: (lines: string[]) => string[]): Buffer {
  return gzipSync(`${change(gunzipSync(bytes).toString().trim().split('\n')).join('\n')}\n`);
}

test('an event that was changed in an archive is found', async () => {
  const directory = await temporaryDirectory();
  await record('edited', 10);
  const [made] = await archive('edited', directory);
  const path = join(directory, made!.file);
  await writeFile(
    path,
    edit(await readFile(path), (lines) => lines.map((line) => line.replace('"someone"', '"nemo"'))),
  );
  expect(await faultsOf('edited', directory)).toContainEqual({
    sequence: 1,
    reason: 'was changed after it was written',
  });
});

test('archived events of which a part is still there are no fault, and a forged one is', async () => {
  const directory = await temporaryDirectory();
  const organization = await record('part', 10);
  const events = await models.auditEvents.collection.find({ organization }).sort({ sequence: 1 }).toArray();
  await archive('part', directory);
  await models.auditEvents.collection.insertMany([events[2]!, events[3]!, events[6]!]);
  expect(await faultsOf('part', directory)).toEqual([]);
  await models.auditEvents.updateOne({ organization, sequence: 7 }, { $set: { username: 'nemo' } });
  expect(await faultsOf('part', directory)).toEqual([{ sequence: 7, reason: 'was changed after it was written' }]);
});

test('a note of archived events that was made without the key is found', async () => {
  const organization = await record('forged', 5);
  const third = (await models.auditEvents.findOne({ organization, sequence: 3 }).lean())!;
  const archived = { sequence: third.sequence, hash: third.hash, seal: 'ab'.repeat(32) };
  await models.auditHeads.updateOne({ _id: organization }, { $set: { archived } });
  await models.auditEvents.deleteMany({ organization, sequence: { $lte: 3 } });
  expect(await faultsOf('forged', await temporaryDirectory())).toContainEqual({
    sequence: 3,
    reason: 'the note of the archived events was changed',
  });
});

test('nothing is removed from a broken chain, or next to an archive of another chain', async () => {
  const directory = await temporaryDirectory();
  const organization = await record('broken', 10);
  await models.auditEvents.updateOne({ organization, sequence: 4 }, { $set: { username: 'nemo' } });
  await expect(archive('broken', directory)).rejects.toThrow(/is broken at event 4, so nothing of it is removed/);
  expect(await stored(organization)).toBe(10);

  const other = await record('other', 10);
  const [made] = await archive('other', directory);
  const restored = await record('restored', 10);
  await writeFile(
    join(directory, made!.file.replace('other', 'restored')),
    await readFile(join(directory, made!.file)),
  );
  await expect(archive('restored', directory)).rejects.toThrow(/does not fit the audit trail of "restored"/);
  expect([await stored(other), await stored(restored)]).toEqual([2, 10]);
});

/** Runs the fixture that archives the events of one organization. */
function archivingProcess(
  slug: string,
  directory: string,
  environment: Readonly<Record<string, string>>,
): ChildProcess {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../fixtures/archiving.mjs', import.meta.url))], {
    env: {
      ...process.env,
      ...settingsFor(config),
      SLUG: slug,
      DIRECTORY: directory,
      ...environment,
    } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

test.each(['note', 'remove'])(
  'an archiving that is killed before "%s" loses nothing, and the next run ends it',
  async (step) => {
    const directory = await temporaryDirectory();
    const slug = `killed-${step}`;
    const organization = await record(slug, 20);
    const killed = archivingProcess(slug, directory, { HANG_AT: step });
    await once(killed.stdout!, 'data');
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect(await stored(organization)).toBe(21);
    expect(await faultsOf(slug, directory)).toEqual([]);

    expect(await once(archivingProcess(slug, directory, {}), 'exit')).toEqual([0, null]);
    const head = (await models.auditHeads.findById(organization).lean<AuditHead>())!;
    const { sequence } = head.archived as ChainEnd;
    expect(sequence).toBeGreaterThanOrEqual(19);
    expect(await models.auditEvents.countDocuments({ organization, sequence: { $lte: sequence } })).toBe(0);
    expect(await faultsOf(slug, directory)).toEqual([]);
    // The file of the killed run was taken, not written again.
    expect((await readdir(directory)).filter((name) => name.startsWith(`audit-${slug}-1-`))).toHaveLength(1);
  },
);

/** Examines a chain and its archives. @returns all that is wrong */
async function faultsOf(slug: string, directory: string): Promise<unknown[]> {
  const archives = await Promise.all((await listArchives([directory])).map((path) => readArchive(path, keyOf)));
  const { value } = await verifyChains(models, keyOf, { slug }).next();
  const { after, failures } = value as OrganizationReport;
  const gap = firstGap(archives, slug, after);
  return [...archives.flatMap((archive) => archive.failures), ...failures, ...(gap ? [gap] : [])];
}

test('nothing is removed when the disk of the archives is full', async () => {
  const directory = await temporaryDirectory();
  const organization = await record('full', 10);
  const fixture = fileURLToPath(new URL('../fixtures/archiving.mjs', import.meta.url));
  // The limit on the size of files stands for a full disk, and needs no rights of root.
  const child = spawn('/bin/sh', ['-c', `ulimit -f 0; exec "${process.execPath}" "${fixture}"`], {
    env: { ...process.env, ...settingsFor(config), DIRECTORY: directory, SLUG: 'full' } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [says] = (await once(child.stderr, 'data')) as [Buffer];
  expect(await once(child, 'exit')).toEqual([1, null]);
  expect(says.toString()).toMatch(/EFBIG|file too large/);
  expect(await readdir(directory)).toEqual([]);
  expect(await stored(organization)).toBe(10);
});

test('the command archives by age, and says what is not set', async () => {
  const directory = await temporaryDirectory();
  await chmod(directory, 0o700);
  const run = (...options: string[]) => runCommand(['audit', 'archive', ...options], settingsFor(config));
  expect((await run()).errors).toContain('set AUDIT_RETENTION_DAYS, or give --days');
  expect((await run('--days', '30')).errors).toContain('set AUDIT_ARCHIVE_DIRECTORY, or give --directory');
  expect(await run('--days', '30', '--directory', directory, '--org', 'kept')).toMatchObject({
    code: 0,
    output: 'No event is older than 30 days.\n',
  });
  expect((await run('--days', '1', '--directory', join(directory, 'none'))).errors).toContain('does not exist');
});

test('a broken chain keeps no other organization from its archive', async () => {
  const others = await startSystem({ worker: false });
  const keysOf = auditKeys(others.app.protectionOf);
  const trail = createAuditTrail({ models: others.app.models, keyOf: keysOf, logger });
  onTestFinished(() => trail.close());
  // The last event of a chain always stays, so each gets two.
  for (const slug of ['first', 'second', 'third', 'first', 'second', 'third'])
    await trail.record(actorOf(await others.organizationId(slug)), { action: 'patient:read', outcome: 'ALLOWED' });
  await expect.poll(() => others.app.models.auditHeads.countDocuments()).toBeGreaterThanOrEqual(3);
  const end = { sequence: 1, hash: 'x', seal: 'changed' };
  for (const slug of ['first', 'third']) {
    const broken = new Types.ObjectId(await others.organizationId(slug));
    await others.app.models.auditHeads.collection.updateOne({ _id: broken }, { $set: { archived: end } });
  }
  const made: string[] = [];
  const directory = await temporaryDirectory();
  const dependencies = { models: others.app.models, keyOf: keysOf, audit: trail, actorOf, directory };
  await expect(
    (async () => {
      for await (const { slug } of archiveChains(dependencies, { before: new Date() })) made.push(slug);
    })(),
  ).rejects.toThrow(/^The note of the archived events of "first" was changed.*events of "third" was changed/);
  expect(made).toContain('second');
});
