/** Covers src/backup/s3-store.ts. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { createS3Store, type S3Options } from '../../src/backup/s3-store.js';
import { freePort } from '../support/free-port.js';
import { startS3Server } from '../support/s3-server.js';

const partBytes = 100_000;

async function storeOf(overrides: Partial<S3Options> = {}) {
  const server = await startS3Server();
  const { endpoint, keys } = server;
  const options = { target: 's3://hospital/risk/graph', endpoint, region: 'eu-central-1', ...keys, partBytes };
  return { server, store: createS3Store({ ...options, ...overrides }) };
}

/** A stream in pieces of another size than the parts. */
const streamOf = (content: Buffer): Readable =>
  Readable.from(
    Array.from({ length: Math.ceil(content.length / 7_001) }, (_, at) =>
      content.subarray(at * 7_001, (at + 1) * 7_001),
    ),
  );

test.each([0, 5, partBytes, partBytes + 1, 3 * partBytes, 3 * partBytes + 17])(
  'a file of %i bytes comes back as it was stored',
  async (bytes) => {
    const { server, store } = await storeOf();
    const content = randomBytes(bytes);
    await store.put('a.tar.gz.age', streamOf(content));
    expect([...server.objects.keys()]).toEqual(['hospital/risk/graph/a.tar.gz.age']);
    expect(server.uploads.size).toBe(0);
    expect(Buffer.compare(await buffer(await store.get('a.tar.gz.age')), content)).toBe(0);
  },
);

test('files are listed over all pages, and removed', async () => {
  const { store } = await storeOf();
  for (const name of ['a.json', 'b.json', 'c.json']) await store.put(name, streamOf(randomBytes(5)));
  expect((await store.list()).map(({ name }) => name)).toEqual(['a.json', 'b.json', 'c.json']);
  await store.remove('b.json');
  await store.remove('b.json');
  expect((await store.list()).map(({ name }) => name)).toEqual(['a.json', 'c.json']);
});

test('a bucket without a prefix holds files too', async () => {
  const { server, store } = await storeOf({ target: 's3://hospital' });
  await store.put('a.json', streamOf(randomBytes(5)));
  expect([...server.objects.keys()]).toEqual(['hospital/a.json']);
  expect((await store.list()).map(({ name }) => name)).toEqual(['a.json']);
});

test('a content that breaks off leaves nothing', async () => {
  const { server, store } = await storeOf();
  async function* broken(): AsyncGenerator<Buffer> {
    yield randomBytes(3 * partBytes);
    throw new Error('the database is gone');
  }
  await expect(store.put('a', Readable.from(broken()))).rejects.toThrow('the database is gone');
  expect([server.objects.size, server.uploads.size]).toEqual([0, 0]);
});

test.each([503, 408, 429, 'reset'] as const)(
  'a server that fails for a moment (%s) is asked again',
  async (failure) => {
    const { server, store } = await storeOf();
    server.failNext('PUT', failure, 2);
    const content = randomBytes(2 * partBytes);
    await store.put('a', streamOf(content));
    expect(Buffer.compare(server.objects.get('hospital/risk/graph/a')!, content)).toBe(0);
  },
);

test('an upload whose last answer was lost is stored, and one that is not there is refused', async () => {
  const { server, store } = await storeOf();
  const content = randomBytes(3 * partBytes);
  server.failNext('COMPLETE', 'lost', 1);
  await store.put('a', streamOf(content));
  expect(Buffer.compare(server.objects.get('hospital/risk/graph/a')!, content)).toBe(0);

  server.failNext('COMPLETE', 'lost', 1);
  server.objects.set = () => server.objects;
  await expect(store.put('b', streamOf(content))).rejects.toThrow('NoSuchUpload');
});

test('the files of another deployment in a folder below are not listed', async () => {
  const { server, store } = await storeOf();
  await store.put('mine', streamOf(randomBytes(10)));
  server.objects.set('hospital/risk/graph/other/theirs', randomBytes(10));
  expect((await store.list()).map(({ name }) => name)).toEqual(['mine']);
});

test('uploads that a dead process left behind are removed', async () => {
  const { server, store } = await storeOf();
  const yesterday = new Date(Date.now() - 86_400_000);
  const upload = (name: string, initiated: Date) =>
    server.uploads.set(name, { key: `hospital/risk/graph/${name}`, parts: new Map(), initiated });
  upload('riskgraph-1.tar.gz.age', new Date(0));
  upload('riskgraph-2.tar.gz.age', new Date());
  upload('other/riskgraph-1.tar.gz.age', new Date(0));
  upload('of-another-program', new Date(0));
  await store.removeAbandoned(yesterday);
  expect([...server.uploads.keys()]).toEqual([
    'riskgraph-2.tar.gz.age',
    'other/riskgraph-1.tar.gz.age',
    'of-another-program',
  ]);
});

test('a wrong secret, a missing file and a missing server are told in one line', async () => {
  const { store: refused } = await storeOf({ secretAccessKey: 'wrong' });
  await expect(refused.list()).rejects.toThrow(
    's3://hospital/risk/graph refuses a request (status 403, SignatureDoesNotMatch): check the bucket, its region, and the rights of BACKUP_S3_ACCESS_KEY_ID.',
  );
  const { store } = await storeOf();
  await expect(store.get('a')).rejects.toThrow('There is no backup a in s3://hospital/risk/graph');
  const { store: nowhere } = await storeOf({ endpoint: `http://127.0.0.1:${await freePort()}` });
  await expect(nowhere.list()).rejects.toThrow(
    's3://hospital/risk/graph does not answer: check BACKUP_S3_ENDPOINT and the network.',
  );
});

test('a target of another form, and one without keys, are refused', () => {
  const options = { region: 'us-east-1', accessKeyId: 'a', secretAccessKey: 'b' };
  expect(() => createS3Store({ ...options, target: 's3://' })).toThrow('is not of the form s3://bucket/prefix');
  expect(() => createS3Store({ ...options, target: 's3://b0', secretAccessKey: undefined })).toThrow(
    'BACKUP_TARGET is in S3: set BACKUP_S3_ACCESS_KEY_ID and BACKUP_S3_SECRET_ACCESS_KEY.',
  );
});
