/** Covers src/backup/archive.ts, src/backup/examine-archive.ts, src/backup/directory-store.ts. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { Decrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { expect, test } from 'vitest';
import { packArchive, unpackArchive, type ArchiveEntry } from '../../src/backup/archive.js';
import { createCatalogue } from '../../src/backup/catalogue.js';
import { createDirectoryStore } from '../../src/backup/directory-store.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);

/** Some hundred pieces of encryption, which no compression makes fewer. */
const entries: readonly ArchiveEntry[] = [
  { name: 'backup.json', bytes: Buffer.from('{}') },
  ...Array.from({ length: 5 }, (_, number) => ({
    name: `collections/0${number}/000001.bson`,
    bytes: randomBytes(900_000),
  })),
  { name: 'manifest.json', bytes: Buffer.from('{"last": true}') },
];

async function* of(list: readonly ArchiveEntry[]): AsyncGenerator<ArchiveEntry> {
  yield* list;
}

const packed = async (): Promise<Buffer> => buffer(await packArchive(of(entries), [recipient]));

async function unpacked(archive: Uint8Array, key = identity): Promise<ArchiveEntry[]> {
  const found: ArchiveEntry[] = [];
  for await (const entry of unpackArchive(Readable.from([archive]), key, 'the-backup')) found.push(entry);
  return found;
}

test('an archive gives back its entries, whatever pieces it comes in', async () => {
  const archive = await packed();
  const pieces = Array.from({ length: Math.ceil(archive.length / 7_001) }, (_, at) =>
    archive.subarray(at * 7_001, (at + 1) * 7_001),
  );
  const found: ArchiveEntry[] = [];
  for await (const entry of unpackArchive(Readable.from(pieces), identity, 'the-backup')) found.push(entry);
  expect(found.map(({ name }) => name)).toEqual(entries.map(({ name }) => name));
  for (const [index, { bytes }] of found.entries()) expect(Buffer.compare(bytes, entries[index]!.bytes)).toBe(0);
});

test('an archive opens with age and tar alone', async () => {
  const directory = await temporaryDirectory();
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  await writeFile(join(directory, 'backup.tar.gz'), await decrypter.decrypt(await packed()));
  const { stdout } = await promisify(execFile)('tar', ['-tzf', join(directory, 'backup.tar.gz')]);
  expect(stdout.trim().split('\n')).toEqual(entries.map(({ name }) => name));
});

test('another key does not open an archive', async () => {
  await expect(unpacked(await packed(), await generateX25519Identity())).rejects.toThrow(
    /^the-backup cannot be decrypted with this key: give the private key of one of its recipients\.$/,
  );
});

test('an archive opens with the key of each recipient', async () => {
  const second = await generateX25519Identity();
  const archive = await buffer(await packArchive(of(entries), [recipient, await identityToRecipient(second)]));
  for (const key of [identity, second]) expect(await unpacked(archive, key)).toHaveLength(entries.length);
});

test('an archive that is cut anywhere is refused', async () => {
  const archive = await packed();
  // Within the header, at its end, within and between pieces of encryption, and short of the last byte.
  const piece = 64 * 1024 + 16;
  const header = archive.indexOf('\n---') + 60;
  const lengths = [0, 1, 100, header, header + piece, header + 3 * piece, archive.length - 20, archive.length - 1];
  for (const length of lengths)
    await expect(unpacked(archive.subarray(0, length)), `cut to ${length} bytes`).rejects.toThrow(
      /^the-backup is damaged: it is no backup, was cut off, or was changed/,
    );
});

test('an archive with one flipped bit is refused', async () => {
  const archive = await packed();
  const places = [
    0,
    30,
    120,
    250,
    400,
    ...Array.from({ length: 12 }, (_, at) => Math.floor((archive.length * (at + 1)) / 13)),
  ];
  for (const place of [...places, archive.length - 1]) {
    const changed = Buffer.from(archive);
    changed[place]! ^= 1;
    await expect(unpacked(changed), `bit of byte ${place}`).rejects.toThrow(
      /^the-backup (is damaged|cannot be decrypted)/,
    );
  }
});

test('an archive with something behind its end is refused', async () => {
  await expect(unpacked(Buffer.concat([await packed(), Buffer.from('x')]))).rejects.toThrow(/^the-backup is damaged/);
});

test('the error of the source is told as it is', async () => {
  const source = new Readable({
    read() {
      this.destroy(new Error('the network is gone'));
    },
  });
  const reading = unpackArchive(source, identity, 'the-backup');
  await expect(reading.next()).rejects.toThrow('the network is gone');
});

test('an error of the entries breaks off the archive, and leaves no file', async () => {
  const directory = await temporaryDirectory();
  async function* broken(): AsyncGenerator<ArchiveEntry> {
    yield* entries.slice(0, 3);
    throw new Error('the database is gone');
  }
  const store = createDirectoryStore(directory);
  await expect(store.put('a', await packArchive(broken(), [recipient]))).rejects.toThrow('the database is gone');
  expect(await readdir(directory)).toEqual([]);
});

test('a full disk leaves no file, and names the file', async () => {
  const directory = await temporaryDirectory();
  // Linux refuses each write to this device for want of room: full(4).
  const store = createDirectoryStore(directory, () => open('/dev/full', 'w'));
  await expect(store.put('a', await packArchive(of(entries), [recipient]))).rejects.toMatchObject({
    code: 'ENOSPC',
    path: join(directory, 'a.partial'),
  });
  expect(await readdir(directory)).toEqual([]);
});

test('a text that is no public key is refused', async () => {
  await expect(packArchive(of(entries), ['age1nonsense'])).rejects.toThrow(
    /^BACKUP_RECIPIENTS must be public keys of age/,
  );
});

const summary = (time: string) => ({
  begunAt: new Date(time),
  endedAt: new Date(time),
  release: '0.1.0',
  dataVersion: 2,
  documents: 1,
});

const age = { recent: 'riskgraph-20261104T020000Z-00000a', old: 'riskgraph-20261001T020000Z-00000b' } as const;

test('a backup is listed when its archive is complete, and pruned with what dead processes left', async () => {
  const directory = await temporaryDirectory();
  const catalogue = createCatalogue(createDirectoryStore(directory));
  for (const day of ['01', '02', '03'])
    await catalogue.store(`backup-${day}`, Readable.from([Buffer.from('x')]), () =>
      summary(`2026-11-${day}T02:00:00Z`),
    );
  // The summaries of two are lost. A third one was renamed, so that its time is not known. A process died in its archive.
  for (const name of [age.recent, age.old, 'renamed']) await writeFile(join(directory, `${name}.tar.gz.age`), 'x');
  await writeFile(join(directory, 'backup-05.tar.gz.age.partial'), 'x');
  const names = ['renamed', age.recent, 'backup-03', 'backup-02', 'backup-01', age.old];
  expect((await catalogue.list()).map(({ name }) => name)).toEqual(names);
  expect([...(await catalogue.names())].sort()).toEqual([...names].sort());
  expect(await catalogue.find(age.old)).toEqual({
    name: age.old,
    begunAt: new Date('2026-10-01T02:00:00Z'),
    summary: undefined,
  });
  await expect(catalogue.find('backup-05')).rejects.toThrow(/^There is no backup backup-05 in /);

  const later = new Date(Date.now() + 2 * 86_400_000);
  expect(await catalogue.prune({ daily: 2, weekly: 0, monthly: 0 }, later)).toEqual([
    'backup-02',
    'backup-01',
    age.old,
  ]);
  expect((await readdir(directory)).sort()).toEqual(
    ['backup-03.json', 'backup-03.tar.gz.age', 'renamed.tar.gz.age', `${age.recent}.tar.gz.age`].sort(),
  );
});

test('the newest backup that a drill has restored is kept', async () => {
  const catalogue = createCatalogue(createDirectoryStore(await temporaryDirectory()));
  for (const hour of ['01', '02', '03', '04'])
    await catalogue.store(`at-${hour}`, Readable.from([Buffer.from('x')]), () => summary(`2026-11-01T${hour}:00:00Z`));
  const header = { format: 1 as const, name: '', masterKeys: [], ...summary('2026-11-01T00:00:00Z') };
  for (const name of ['at-01', 'at-02'])
    await catalogue.noteRestored(await catalogue.find(name), { ...header, header, restoreSeconds: 1 });
  expect(await catalogue.prune({ daily: 1, weekly: 1, monthly: 1 })).toEqual(['at-03', 'at-01']);
});

test('a drill writes the summary again that was lost', async () => {
  const directory = await temporaryDirectory();
  const catalogue = createCatalogue(createDirectoryStore(directory));
  const stored = await catalogue.store(age.recent, Readable.from([randomBytes(100)]), () =>
    summary('2026-11-04T02:00:00Z'),
  );
  const header = { ...stored, masterKeys: [] };
  for (const lost of ['', '{ "format": 1']) {
    await writeFile(join(directory, `${age.recent}.json`), lost);
    const found = await catalogue.find(age.recent);
    expect(found).toMatchObject({ begunAt: stored.begunAt, summary: undefined });
    await catalogue.noteRestored(found, { ...stored, header, restoreSeconds: 2 });
    expect((await catalogue.find(age.recent)).summary).toEqual({
      ...stored,
      restoreSeconds: 2,
      restoredAt: expect.any(Date),
    });
  }
});
